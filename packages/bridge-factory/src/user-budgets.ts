import type { UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import { LogBudget } from './log-budget.js';

/** One run's share of its user's budget. */
export interface BudgetLease {
  readonly budget: LogBudget;
  /** The run is over. To be called once. */
  readonly release: () => void;
}

interface UserBudget {
  readonly budget: LogBudget;
  leases: number;
}

/**
 * The budgets of users who append. A user's runs share one, those that follow each other too: it outlives the
 * last of them until it is untouched again, which takes a second or so. No timer watches for that: whoever
 * comes or goes next looks, so what stays behind is what ended in the last second of activity.
 */
export class UserBudgets {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  readonly #users = new Map<UserId, UserBudget>();
  /** Users without a run, in the order in which their last one ended. */
  readonly #idle = new Set<UserId>();

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Users whose budget is kept. */
  get size(): number {
    return this.#users.size;
  }

  lease(userId: UserId): BudgetLease {
    this.#forgetUntouched();
    const user = this.#users.get(userId) ?? this.#add(userId);
    this.#idle.delete(userId);
    user.leases += 1;
    return {
      budget: user.budget,
      release: () => {
        user.leases -= 1;
        if (user.leases === 0) this.#idle.add(userId);
        this.#forgetUntouched();
      },
    };
  }

  #add(userId: UserId): UserBudget {
    const user = { budget: new LogBudget(this.#clock, this.#bytesPerSecond), leases: 0 };
    this.#users.set(userId, user);
    return user;
  }

  #forgetUntouched(): void {
    for (const userId of this.#idle) {
      if (this.#users.get(userId)?.budget.isUntouched === false) return;
      this.#idle.delete(userId);
      this.#users.delete(userId);
    }
  }
}
