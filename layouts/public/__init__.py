"""The pages, API and pictures anyone may ask for: views to bytes."""
