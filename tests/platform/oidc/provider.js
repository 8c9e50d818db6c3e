// A provider on a free port of this machine: prints its issuer, then serves until its standard input ends.
// The test plays the person: it posts {accountId, amr, acr} to the interaction that the browser is sent to.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const settings = JSON.parse(process.argv[2]);
const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: settings.clients,
  cookies: { keys: ["only for tests"] },
  claims: { openid: ["sub", "acr", "amr", "auth_time"], profile: ["name"] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: `Người ${id}` }) }),
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
});
const callback = provider.callback();

server.on("request", async (request, response) => {
  if (request.method !== "POST" || !request.url.startsWith("/interaction/")) return callback(request, response);
  const parts = [];
  for await (const part of request) parts.push(part);
  const person = JSON.parse(Buffer.concat(parts).toString());
  const result = person.refuse
    ? { error: "access_denied", error_description: "<script>no</script>" }
    : { login: person };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
});

console.log(issuer);
process.stdin.on("end", () => process.exit(0)).resume();
