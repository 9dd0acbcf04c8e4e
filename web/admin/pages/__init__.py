"""One module a topic; importing one adds its views to the blueprint."""
