// What a Probot app does with a delivery before its own code runs: verify, parse, answer.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.PROBOT + "/");
const { createNodeMiddleware, createProbot } = await import(pathToFileURL(require.resolve("probot")));
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const probot = createProbot({
  overrides: { appId: 1, privateKey, secret: process.env.SECRET, logLevel: "fatal" },
});
const middleware = await createNodeMiddleware((app) => app.on("check_run", () => {}), { probot });
createServer((request, response) =>
  middleware(request, response, () => response.writeHead(404).end()),
).listen(Number(process.argv[2]), "127.0.0.1");
