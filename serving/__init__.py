"""The web server: who may ask, how it is answered, how it runs."""
