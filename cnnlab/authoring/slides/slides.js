// Starts reveal.js and adds what a lecture needs: code that unfolds, dark pages, demos in their frames, slides that are
// taller than the page. Everything else is reveal.js's own.
(() => {
  const query = new URLSearchParams(location.search);
  const printing = query.has("print-pdf");
  const current = () => Reveal.getCurrentSlide();
  const frames = [...document.querySelectorAll(".demo-frame iframe")];

  // ---- light and dark: figures, cards and colors follow the body, demos their own pages

  let dark = query.get("theme") === "dark";

  function paint() {
    document.body.dataset.jpThemeLight = String(!dark);
    frames.forEach(paintFrame);
  }

  function paintFrame(frame) {
    const root = frame.contentDocument?.documentElement;
    if (!root) return;
    root.dataset.theme = dark ? "dark" : "light";
    root.style.colorScheme = dark ? "dark" : "light";
    frame.style.colorScheme = root.style.colorScheme;
    if (frame.contentDocument.body) frame.contentDocument.body.style.background = getComputedStyle(document.body).backgroundColor;
  }

  // ---- demos: as large as the slide has room for, within what can still be read from the last row

  const WIDEST = 960;
  const LARGEST = 1.3;
  const SMALLEST = 0.9;

  function tend(frame) {
    const page = frame.contentDocument;
    if (!page?.querySelector("main")) return;
    paintFrame(frame);
    frame.scale = LARGEST;
    frame.settled = false;
    new ResizeObserver(() => place(frame)).observe(page.querySelector("main"));
    const settle = () => (frame.settled = true); // what a hand unfolds must not shrink the rest
    page.addEventListener("pointerdown", settle);
    page.addEventListener("keydown", settle, true);
    page.addEventListener("keydown", onClicker, true);
    page.addEventListener("keydown", onEscape);
    place(frame);
  }

  // A demo that has the focus keeps its keys, but for those of a clicker; Escape comes back to the slides.
  function onClicker(event) {
    const move = { PageDown: forward, PageUp: back }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    move();
  }

  function onEscape(event) {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    document.activeElement.blur();
    window.focus();
  }

  function place(frame) {
    const holder = frame.parentElement;
    const main = frame.contentDocument?.querySelector("main");
    if (!main || !holder.clientWidth) return; // a slide that is not shown has no width
    const high = Math.ceil(main.scrollHeight);
    const slide = holder.closest(".slides > section > section, .pdf-page > section");
    if (!frame.settled && slide) {
      const below = 10;
      const top = holder.getBoundingClientRect().top - slide.getBoundingClientRect().top;
      const room = slide.clientHeight - (top / (Reveal.getScale() || 1) + slide.scrollTop) - below;
      if (high * frame.scale > room && high > 50) frame.scale = Math.max(SMALLEST, Math.min(frame.scale, room / high));
    }
    const width = Math.min(WIDEST, holder.clientWidth / frame.scale);
    const left = (holder.clientWidth - width * frame.scale) / 2;
    Object.assign(frame.style, { width: `${width}px`, height: `${high}px` });
    frame.style.transform = `translateX(${left}px) scale(${frame.scale})`;
    holder.style.height = `${Math.ceil(high * frame.scale)}px`;
    if (slide === current()) showMore();
  }

  // ---- slides taller than the page

  // Figures give way first, down to half their height; what is then still too tall scrolls.
  function fit(slide) {
    if (!slide || printing) return;
    for (const text of slide.querySelectorAll(".jp-RenderedText pre")) {
      text.style.fontSize = "";
      const longest = Math.max(...text.textContent.split("\n").map((line) => line.length));
      const fits = (text.clientWidth - 42) / (longest * 0.605);
      if (fits < 24) text.style.fontSize = `${Math.max(17, fits)}px`;
    }
    for (const formula of slide.querySelectorAll("math[display=block]")) {
      formula.style.removeProperty("--shrink");
      const ratio = formula.clientWidth / formula.scrollWidth;
      if (ratio < 1) formula.style.setProperty("--shrink", String(Math.max(0.5, 0.98 * ratio)));
    }
    const pictures = [...slide.querySelectorAll(".cnnlab-figure")];
    pictures.forEach((picture) => picture.style.removeProperty("--room"));
    const over = slide.scrollHeight - slide.clientHeight;
    if (over > 0 && pictures.length) {
      const whole = pictures.reduce((sum, picture) => sum + picture.offsetHeight, 0);
      const left = Math.max(0.5, (whole - over - 6) / whole);
      pictures.forEach((picture) => picture.style.setProperty("--room", `${Math.floor(picture.offsetHeight * left)}px`));
    }
    slide.querySelectorAll(".demo-frame iframe").forEach(place);
    showMore();
  }

  const more = document.querySelector(".more");
  const hiddenBelow = (slide) => slide.scrollHeight - slide.clientHeight - slide.scrollTop;

  function showMore() {
    const slide = current();
    more.hidden = printing || !slide || hiddenBelow(slide) < 24;
  }

  function scrolled(slide, way) {
    const room = way > 0 ? hiddenBelow(slide) : slide.scrollTop;
    if (room < 8) return false;
    slide.scrollBy({ top: way * Math.min(room, 0.7 * slide.clientHeight), behavior: "smooth" });
    return true;
  }

  function forward() {
    if (Reveal.isOverview() || !scrolled(current(), 1)) Reveal.next();
  }

  function back() {
    if (Reveal.isOverview() || !scrolled(current(), -1)) Reveal.prev();
  }

  // ---- keys

  function unfold() {
    const all = [...document.querySelectorAll("details.code")];
    const open = !all.some((part) => part.open);
    all.forEach((part) => (part.open = open));
  }

  // What has the focus keeps the keys that it uses; reveal.js asks here before it takes one.
  function isForSlides(event) {
    const focused = document.activeElement;
    if (!focused || focused === document.body || !event.key) return true;
    if (focused.matches("iframe, select, audio, video, textarea, input")) return ["PageUp", "PageDown"].includes(event.key);
    if (focused.matches("summary, button, a")) return ![" ", "Enter"].includes(event.key);
    return true;
  }

  const overview = (go, move) => () => (Reveal.isOverview() ? move() : go());
  const keyboard = {
    32: (event) => (event.shiftKey ? back() : forward()),
    33: back,
    34: forward,
    37: overview(back, () => Reveal.left()),
    38: overview(back, () => Reveal.up()),
    39: overview(forward, () => Reveal.right()),
    40: overview(forward, () => Reveal.down()),
    67: unfold,
    68: () => {
      dark = !dark;
      paint();
    },
  };

  function attend(frame) {
    frame.addEventListener("load", () => tend(frame));
    if (frame.contentDocument?.readyState === "complete") tend(frame);
  }

  document.addEventListener("toggle", (event) => event.target.closest?.(".slides section") && fit(current()), true);
  document.addEventListener("scroll", showMore, true);
  more.addEventListener("click", forward);
  if (printing) document.querySelectorAll(".slides details").forEach((part) => (part.open = !part.matches(".code")));
  paint();
  frames.forEach(attend);

  Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    center: false,
    controls: false,
    hash: true,
    transition: "none",
    backgroundTransition: "none",
    navigationMode: "linear",
    slideNumber: "c/t",
    scrollActivationWidth: 0,
    pdfMaxPagesPerSlide: 3,
    pdfSeparateFragments: false,
    defaultTiming: 0,
    keyboardCondition: isForSlides,
    keyboard,
    plugins: [RevealNotes],
  }).then(() => {
    Reveal.registerKeyboardShortcut?.("C", "Unfold or fold all code");
    fit(current());
  });
  Reveal.on("slidechanged", (event) => {
    if (document.activeElement !== document.body) document.activeElement?.blur();
    if (event.currentSlide) event.currentSlide.scrollTop = 0;
    fit(event.currentSlide);
  });
  window.addEventListener("load", () => fit(current()));
})();
