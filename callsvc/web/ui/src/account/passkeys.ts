/** Passkeys: has the browser make one, or answer by one. The private half never leaves the device that holds it. */
import { api, Problem, type Shape } from "../api/client";
import { t, type Key } from "../locale";

type Ways = Shape<"WaysIn">;
type Known = Shape<"KnownPasskey">;
export type Answer = Shape<"PasskeyAnswer">;

/** Why there are no passkeys on this page, in words; null where there are. */
export function whyNone(ways: Ways): string | null {
  if (!window.PublicKeyCredential) return t("passkeys.none.browser");
  if (ways.no_passkeys) return t(`passkeys.none.${ways.no_passkeys}`);
  if (ways.passkeys_at !== location.origin) return t("passkeys.none.elsewhere", { address: ways.passkeys_at ?? "" });
  return null;
}

/** A new passkey. The password is asked for, for this is a new way in. */
export async function make(label: string, password: string): Promise<void> {
  const asked = await api.post("/api/me/passkeys/question", { body: { password } });
  const made = await fromDevice(() => navigator.credentials.create({
    publicKey: {
      challenge: bytes(asked.challenge),
      rp: { id: asked.rp_id, name: "callsvc" },
      user: { id: bytes(asked.user_id), name: asked.user_name, displayName: asked.display_name },
      pubKeyCredParams: asked.algorithms.map((alg) => ({ type: "public-key", alg })),
      timeout: asked.timeout_ms,
      excludeCredentials: asked.known.map(described),
      // It is found without a user name, and answers only to its owner.
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
      attestation: "none",
    },
  }));
  const response = made.response as AuthenticatorAttestationResponse;
  const body = {
    label,
    id: text(made.rawId),
    client_data: text(response.clientDataJSON),
    attestation: text(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  };
  await api.post("/api/me/passkeys", { body });
}

/** What a passkey of the person's answers. */
export async function answer(asked: Shape<"PasskeyQuestion">): Promise<Answer> {
  const given = await fromDevice(() => navigator.credentials.get({
    publicKey: {
      challenge: bytes(asked.challenge),
      rpId: asked.rp_id,
      timeout: asked.timeout_ms,
      allowCredentials: asked.allowed.map(described),
      userVerification: "required",
    },
  }));
  const response = given.response as AuthenticatorAssertionResponse;
  return {
    id: text(given.rawId),
    client_data: text(response.clientDataJSON),
    authenticator_data: text(response.authenticatorData),
    signature: text(response.signature),
    user_handle: response.userHandle?.byteLength ? text(response.userHandle) : null,
  };
}

const told: Record<string, [title: Key, hint: Key]> = {
  NotAllowedError: ["passkeys.stopped", "passkeys.stopped.hint"],
  InvalidStateError: ["passkeys.known", "passkeys.known.hint"],
};

async function fromDevice(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const found = await ask();
    if (found) return found as PublicKeyCredential;
    throw new DOMException("", "NotAllowedError");
  } catch (fault) {
    const [title, hint] = told[fault instanceof DOMException ? fault.name : ""] ?? ["passkeys.broke", "passkeys.broke.hint"];
    throw new Problem(0, "passkey", t(title), t(hint));
  }
}

function described({ id, transports }: Known): PublicKeyCredentialDescriptor {
  return { type: "public-key", id: bytes(id), transports: transports as AuthenticatorTransport[] };
}

function bytes(encoded: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(encoded.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
}

function text(data: ArrayBuffer): string {
  const letters = [...new Uint8Array(data)].map((byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
