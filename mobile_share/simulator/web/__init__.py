"""The pages of the browser phone."""
