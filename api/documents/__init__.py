"""The documents of the api: OpenAPI, AsyncAPI, and the pages that show them."""
