"""`clinic-hub check`: checks the settings and the services they name, and tells the operator what to fix."""
