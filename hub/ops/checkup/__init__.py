"""`clinic-hub check`: what is wrong with the settings and with what they lead to, in words for whoever mends it."""
