// Reads the page as it stands; answers what is wrong as sentences. Playwright hands it the least size of a target.
([leastHigh, leastWide]) => {
  const wrong = [];
  const seen = (element) =>
    element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) && !element.closest("[popover]:not(:popover-open)");
  const named = (element) =>
    `${element.tagName.toLowerCase()}.${element.className} "${(element.ariaLabel || element.innerText || element.id || "").slice(0, 40)}"`;
  const modal = document.querySelector("dialog[open]");
  const within = modal || document;

  const titles = [...document.querySelectorAll("h1")].filter(seen);
  if (titles.length !== 1) wrong.push(`${titles.length} h1: ${titles.map((each) => each.innerText)}`);
  if (!/\S.* · Pulse( docs)?$/.test(document.title)) wrong.push(`the title is "${document.title}"`);

  // A target is as large as its box, or as what it lays over its surroundings.
  const reach = (element) => {
    const box = element.getBoundingClientRect();
    const over = ["::after", "::before"].map((which) => getComputedStyle(element, which)).filter((each) => each.position === "absolute");
    return [
      Math.max(box.width, ...over.map((each) => parseFloat(each.width) || 0)),
      Math.max(box.height, ...over.map((each) => parseFloat(each.height) || 0)),
    ];
  };
  const inText = (element) => element.matches("a") && element.closest("p, li, td, dd") && getComputedStyle(element).display === "inline";
  const hands = [...within.querySelectorAll("a[href], button, select, summary, input:not([type=hidden]), textarea")].filter(seen);
  for (const hand of hands) {
    const target = hand.matches("[type=radio], [type=checkbox]") ? hand.closest("label") || hand : hand;
    if (target.closest(".seen-by-readers, .skip, .hint, [data-sonner-toaster]") || inText(target)) continue;
    const [wide, high] = reach(target);
    if (high < leastHigh - 0.5 || wide < leastWide - 0.5) wrong.push(`${named(target)} is ${Math.round(wide)} × ${Math.round(high)}`);
  }

  // Focus: something about the element, or about what stands around it, looks different.
  const look = (element) => {
    const around = [element, element.closest("label, .project-card, .palette-top")].filter(Boolean);
    return around.map((each) => {
      const style = getComputedStyle(each);
      return [style.boxShadow, style.outlineStyle, style.outlineWidth, style.borderColor, style.top].join();
    }).join();
  };
  const before = document.activeElement;
  for (const hand of hands.filter((each) => !each.disabled && !each.matches("[role=combobox], [tabindex='-1']"))) {
    document.activeElement?.blur();
    const quiet = look(hand);
    hand.focus({focusVisible: true, preventScroll: true});
    if (document.activeElement === hand && look(hand) === quiet) wrong.push(`${named(hand)} does not show its focus`);
  }
  document.activeElement?.blur();
  before?.focus?.({preventScroll: true});

  // Letters that turn the direction stay inside an element of their own.
  const turning = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const around = texts.currentNode.parentElement;
    if (turning.test(texts.currentNode.data) && !around.closest("bdi, option, textarea, title, script, style")) {
      wrong.push(`${named(around)} lets a direction out`);
    }
  }
  return wrong;
}
