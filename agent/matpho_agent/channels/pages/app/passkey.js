/** Passkeys: the browser's part of the ceremonies. */
import { post } from "./api.js";

const AUTH = "/api/v1/auth/passkeys";

/** @param {string} name */
export async function registerPasskey(name) {
  const { ceremony, options } = await post(`${AUTH}/options`, {});
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const made = await navigator.credentials.create({ publicKey });
  return post(AUTH, { ceremony, credential: made.toJSON(), name });
}

export const signInWithPasskey = () => show("sign-in");
export const stepUpWithPasskey = () => show("step-up");

/** @param {"sign-in" | "step-up"} purpose */
async function show(purpose) {
  const { ceremony, options } = await post(`${AUTH}/${purpose}/options`, {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const shown = await navigator.credentials.get({ publicKey });
  return post(`${AUTH}/${purpose}`, { ceremony, credential: shown.toJSON() });
}
