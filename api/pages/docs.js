// Swagger UI with our document; without a validator address, for it would send the document to somebody else.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#docs", validatorUrl: null, deepLinking: true });
