import type { UserId } from '@runwire/id-generation';

/** A registered user. */
export interface Account {
  readonly userId: UserId;
  readonly token: string;
}

interface Registered {
  readonly accessToken: string;
  readonly user: { readonly id: UserId };
}

/** Hashing a password takes a core for a while: more at a time would only wait. */
const AT_A_TIME = 8;

/** Registers users as anybody does, over HTTP. */
export async function registerAccounts(url: string, count: number): Promise<readonly Account[]> {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const accounts: Account[] = [];
  const pending = numbers.values();
  const worker = async (): Promise<void> => {
    for (const number of pending) accounts.push(await register(url, number));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return accounts;
}

async function register(url: string, number: number): Promise<Account> {
  const response = await fetch(`${url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      email: `user-${number}@benchmarks.invalid`,
      password: `benchmark-${number}-password`,
    }),
  });
  if (!response.ok)
    throw new Error(`A registration was answered ${response.status}: ${await response.text()}`);
  const { accessToken, user }: Registered = JSON.parse(await response.text());
  return { userId: user.id, token: accessToken };
}
