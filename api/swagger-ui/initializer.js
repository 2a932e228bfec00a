// A file of its own, because the page's Content-Security-Policy allows no script inside it.
window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  validatorUrl: "none", // the default would send the document's address to another host
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
});
