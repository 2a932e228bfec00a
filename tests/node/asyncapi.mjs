// Parse an AsyncAPI document from standard input. Prints {version, messages, operations, faults} as JSON.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
const faults = diagnostics
  .filter(({ code }) => code !== "asyncapi-latest-version") // 3.0.0, because more tools read it
  .map(({ code, message, path }) => `${code}: ${message} (${path.join(".")})`);
console.log(JSON.stringify({
  version: document?.version(),
  messages: document?.allMessages().all().map((message) => message.name()),
  operations: document?.operations().all().map((operation) => operation.action()),
  faults,
}));
