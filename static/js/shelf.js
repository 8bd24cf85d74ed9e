/* Articles far from the reader are emptied to a string and filled again on the way back,
   so that a long scroll keeps a flat memory. Their height is the scroller's, so nothing moves. */

const NEAR = 8;

export class Shelf {
  #stored = new Map();

  /** `wake(article)` is called when an article is filled again. */
  constructor(wake) {
    this.wake = wake;
  }

  /** Fill the articles around `index` again. */
  wakeNear(articles, index) {
    for (const article of articles.slice(Math.max(0, index - NEAR), index + NEAR + 1)) {
      if (!this.#stored.has(article)) continue;
      article.innerHTML = this.#stored.get(article);
      this.#stored.delete(article);
      this.wake(article);
    }
  }

  /** Empty the articles far from `index`; their players must have gone before. */
  putFar(articles, index) {
    articles.forEach((article, place) => {
      if (Math.abs(place - index) <= NEAR || this.#stored.has(article)) return;
      this.#stored.set(article, article.innerHTML);
      article.replaceChildren();
    });
  }

  clear() {
    this.#stored.clear();
  }
}
