"""A broker and a database for one machine, each its own process on a loopback port."""
