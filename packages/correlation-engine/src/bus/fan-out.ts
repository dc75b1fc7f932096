import { type Delivery, Subscription } from './subscription.js';

/** The subscribers of one engine. A slow one costs itself, not the others. */
export class FanOut {
  readonly #subscriptions = new Set<Subscription>();
  readonly #dropped: (count: number) => void;

  constructor(dropped: (count: number) => void) {
    this.#dropped = dropped;
  }

  subscribe(): Subscription {
    const subscription: Subscription = new Subscription((_, dropped) => {
      this.#subscriptions.delete(subscription);
      if (dropped > 0) this.#dropped(dropped);
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  deliver(delivery: Delivery): void {
    for (const subscription of this.#subscriptions) subscription.deliver(delivery);
  }

  stop(): void {
    for (const subscription of this.#subscriptions) subscription.close();
  }
}
