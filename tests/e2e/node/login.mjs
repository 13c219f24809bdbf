// A login with openid-client: prints the address for the browser, reads where it came back to,
// prints what the client knows then. Settings are the first argument, JSON.
import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline/promises";

globalThis.crypto ??= webcrypto; // Node 18
const client = await import("openid-client");
const given = JSON.parse(process.argv[2]);

const algorithm = { name: "ECDSA", namedCurve: "P-256" };
const key = await crypto.subtle.importKey("jwk", given.key, algorithm, false, ["sign"]);
const config = await client.discovery(
  new URL(given.issuer),
  given.client_id,
  undefined,
  client.PrivateKeyJwt({ key, kid: given.key.kid }),
  { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
);

const verifier = client.randomPKCECodeVerifier();
const nonce = client.randomNonce();
const state = client.randomState();
const address = await client.buildAuthorizationUrlWithPAR(config, {
  redirect_uri: given.redirect_uri,
  scope: given.scope,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  nonce,
  state,
});
console.log(address.href);

const back = await createInterface({ input: process.stdin }).question("");
const tokens = await client.authorizationCodeGrant(config, new URL(back), {
  pkceCodeVerifier: verifier,
  expectedNonce: nonce,
  expectedState: state,
  idTokenExpected: true,
  maxAge: 300,
});
const claims = tokens.claims();
const told = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
await client.tokenRevocation(config, tokens.access_token);
const logout = client.buildEndSessionUrl(config, {
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: given.redirect_uri,
});
console.log(JSON.stringify({ claims, told, logout: logout.href }));
process.exit(0);
