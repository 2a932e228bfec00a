// Read events, one a line, from standard input as a receiver of structured CloudEvents does. Prints each event as the library has it, one a line.
import { createInterface } from "node:readline";
import { HTTP } from "cloudevents";

const headers = { "content-type": "application/cloudevents+json; charset=utf-8" };
for await (const body of createInterface({ input: process.stdin })) {
  const event = HTTP.toEvent({ headers, body });
  event.validate();
  console.log(JSON.stringify(event));
}
