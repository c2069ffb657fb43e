import { type ArtifactStore, StoreUnusableError } from "./store.ts";

/** A store that is known by its name only: whoever wants something of it is told why it is not to be had here, and what to do. */
export function openUnreadableStore(url: string, reason: string): ArtifactStore {
  const refuse = () => Promise.reject(new StoreUnusableError(url, reason));
  return {
    url,
    id: refuse,
    claim: refuse,
    read: refuse,
    remove: refuse,
    names: refuse,
    freeBytes: async () => null,
    async [Symbol.asyncDispose]() {},
  };
}
