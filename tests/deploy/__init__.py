"""The files for production: compose file, image, Procfile."""
