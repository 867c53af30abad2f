"""How the hub is put into production: compose file, image, Procfile."""
