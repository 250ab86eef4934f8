import { hash, verify } from '@node-rs/argon2';

/** Hashes passwords with Argon2id, off the event loop. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** False for a wrong password; takes the same time when there is no hash to compare with. */
  verify(passwordHash: string | undefined, password: string): Promise<boolean>;
}

/** OWASP's second recommended setting: 19 MiB, two passes. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Creates the password hasher. */
export function createPasswords(): Passwords {
  // Compared with when the e-mail address is unknown, so that time does not tell. Begun before anybody asks, and
  // not waited for: a start takes 20 ms less. Whoever needs it when it has failed is told then.
  const nobody = hash('nobody has this password', ARGON2);
  nobody.catch(() => undefined);
  return {
    hash: (password) => hash(password, ARGON2),
    async verify(passwordHash, password) {
      const matches = await verify(passwordHash ?? (await nobody), password);
      return matches && passwordHash !== undefined;
    },
  };
}
