/** The open connections of each user, as a server without a library keeps them. */
export class ConnectionTable<T> {
  readonly #indexOf = new Map<string, number>();
  readonly #connections: Set<T>[];

  constructor(users: readonly { readonly id: string }[]) {
    for (const [index, { id }] of users.entries()) this.#indexOf.set(id, index);
    this.#connections = users.map(() => new Set());
  }

  /** The number of a user. @throws Error for somebody else */
  userOf(id: string): number {
    const index = this.#indexOf.get(id);
    if (index === undefined) throw new Error(`${id} is no user of this run.`);
    return index;
  }

  of(user: number): ReadonlySet<T> {
    return this.#at(user);
  }

  add(user: number, connection: T): void {
    this.#at(user).add(connection);
  }

  delete(user: number, connection: T): void {
    this.#at(user).delete(connection);
  }

  *all(): Generator<T> {
    for (const connections of this.#connections) yield* connections;
  }

  #at(user: number): Set<T> {
    const connections = this.#connections[user];
    if (connections === undefined) throw new Error(`There is no user ${user} in this run.`);
    return connections;
  }
}
