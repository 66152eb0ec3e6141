"""Measure how quickly the demos answer the hand: slider to picture, and pictures a second while playing.

    python benchmarks/demo_latency.py [DEMO ...]

Starts a real JupyterLab on the loopback and drives it with the system's Chromium (headless, no GPU). A latency runs
from the time stamp of the key press that moves a slider to the first animation frame after the picture has changed,
so it includes the browser's event handling, the computation and the drawing, and at most one frame of waiting. Every
slider that moves is measured. Playing is measured at the highest speed that a demo offers; a demo of few steps
cannot show more pictures than it has, but must show them all.
"""

import importlib.util
import statistics
import sys
import tempfile
from pathlib import Path
from types import ModuleType

PRESSES = 30
SECONDS = 2.0
BUDGET_MS, BUDGET_FPS = 50, 30  # the demos' promise

PREAMBLE = """
import numpy as np
from cnnlab import data, demos, nn
rng = np.random.default_rng(0)
"""

# Real sizes; random numbers take as long as trained ones.
CASES = {
    "WelcomeScanner": """
def net(width):
    return [(rng.standard_normal((32, 20 * width)) / 20, np.zeros(32)), (rng.standard_normal((1, 32)), np.zeros(1))]
wave = (0.1 * rng.standard_normal(32_000)).astype(np.float32)
nets = {width: net(width) for width in (10, 15, 20, 25, 30, 35, 40, 45, 50)}
demos.WelcomeScanner(rng.standard_normal((20, 200)), nets, width=30, wave=wave)
""",
    "FlowerScanner": """
layers = nn.layers_of(nn.mlp([3 * 24 * 24, 32, 1], rng=rng))
demos.FlowerScanner(data.load_flowers(2).x[0], layers, size=24, flower=data.flower_sprite())
""",
    "GiantMatrix": "demos.GiantMatrix([-1, 2, 0.5], n=16)",
    "GiantMatrix-large": "demos.GiantMatrix(rng.normal(size=(2, 2, 3)).round(1), n=16)",  # 28 × 32 entries
    "SharedGradient": "demos.SharedGradient(rng.normal(size=16).round(1), [0.5, 1, -1])",
    "OrderOfComputation": "demos.OrderOfComputation()",
    "MapToDecision": "demos.MapToDecision(rng.normal(size=43).round(1), how='softmax')",
    "DistributedScan": "demos.DistributedScan(levels=3)",
    "ConvStepper": "demos.ConvStepper(rng.normal(size=(12, 16)).round(1), rng.normal(size=(3, 3)).round(1), padding=1)",
    "VolumeView": "demos.VolumeView(rng.normal(size=(3, 32, 32)), rng.normal(size=(10, 3, 5, 5)), padding=2)",
    "ReceptiveField": "demos.ReceptiveField([3, 3, 3, 3], input_size=(32, 28))",
    "ArchitectureCalculator": "demos.ArchitectureCalculator()",
    "FilterGallery": """
net = nn.Sequential(nn.Conv2d(3, 16, 7), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 24, 3), nn.ReLU(), nn.MaxPool2d(2))
demos.FilterGallery(net, data.load_shapes(100).x)
""",
    "PoolingStepper": "demos.PoolingStepper(rng.normal(size=(8, 10)).round(1), kernel_size=3, stride=2)",
    "Autopsy": """
x, w = rng.normal(size=(12, 14)), rng.normal(size=(3, 3))
cut = np.lib.stride_tricks.sliding_window_view(x, (3, 3))
demos.Autopsy(*(np.einsum("ijuv,uv->ij", cut, k) for k in (w, w[::-1, ::-1])), x=x, w=w)
""",
}

# One observer for all demos: whatever changes inside the stage is a new picture.
MEASURE = """
async ([selector, presses]) => {
  const input = document.querySelector(selector);
  const stage = input.closest(".cnnlab-demo").querySelector(".stage");
  window.latencies = [];
  window.measured = 0;
  let pressed = null;
  const observer = new MutationObserver(() => {
    if (pressed === null) return;
    const begun = pressed;
    pressed = null;
    // The frame after the change paints it; the next one knows that it was painted.
    requestAnimationFrame(() => requestAnimationFrame((time) => {
      window.latencies.push(time - begun);
      window.measured += 1;
    }));
  });
  observer.observe(stage, { subtree: true, childList: true, attributes: true, characterData: true });
  input.focus();
  input.addEventListener("keydown", (event) => {
    pressed = event.timeStamp;
    setTimeout(() => {
      if (pressed !== event.timeStamp) return; // at the end of a slider nothing changes
      pressed = null;
      window.measured += 1;
    }, 700);
  });
}
"""

PLAY = """
async (seconds) => {
  const demo = document.querySelector(".cnnlab-demo");
  const button = demo.querySelector("button[name=play]");
  const scrub = demo.querySelector("input[name=position]");
  const speed = demo.querySelector("select[name=speed]");
  speed.selectedIndex = speed.options.length - 1;
  speed.dispatchEvent(new Event("change", { bubbles: true }));
  demo.querySelector("button[name=start]").click();
  await new Promise((resolve) => setTimeout(resolve, 300));
  let changed = false;
  const observer = new MutationObserver(() => (changed = true));
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  observer.observe(demo.querySelector(".stage"), all);
  const times = [];
  const [from, began] = [Number(scrub.value), performance.now()];
  button.click();
  const playing = () => button.getAttribute("aria-label").startsWith("Pause");
  while (performance.now() - began < seconds * 1000) {
    await new Promise(requestAnimationFrame);
    if (changed) times.push(performance.now());
    changed = false;
    if (!playing()) break;
  }
  if (playing()) button.click();
  const passed = Number(scrub.value) - from;
  return [times.length, (times.at(-1) - times[0]) / 1000 || 0, passed];
}
"""


def browser_tools() -> ModuleType:
    """Return the module that starts Chromium and JupyterLab for the browser tests: one way to do it, kept there."""
    path = Path(__file__).parent.parent / "tests" / "browser" / "conftest.py"
    spec = importlib.util.spec_from_file_location("browser_tools", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def latencies(page, name: str) -> list[float]:
    """Press arrow keys on one slider, to and fro, and return the times in milliseconds."""
    selector = f'.cnnlab-demo input[name="{name}"]'
    page.evaluate(MEASURE, [selector, PRESSES])
    steps = page.locator(selector).evaluate("e => (e.max - e.min) / (e.step === 'any' ? (e.max - e.min) / 20 : e.step)")
    run = max(1, min(int(steps), 10))
    at_end = page.locator(selector).evaluate("e => (e.value - e.min) / (e.max - e.min) > 0.5")
    for press in range(PRESSES):
        onward = (press // run) % 2 == 0
        page.keyboard.press("ArrowRight" if onward != at_end else "ArrowLeft")
        page.wait_for_function("(n) => window.measured === n", arg=press + 1, polling=10)
    times = page.evaluate("window.latencies")
    page.evaluate("document.activeElement.blur()")
    return sorted(times)


def sliders(page) -> list[str]:
    """Return the names of the sliders that are shown and can move."""
    return page.locator(".cnnlab-demo input[type=range]:not([disabled])").evaluate_all(
        "inputs => inputs.filter((e) => e.offsetParent && Number(e.max) > Number(e.min)).map((e) => e.name)"
    )


def measure(page, demo: str) -> bool:
    """Print the rows of one demo and return whether it keeps the promise."""
    kept = True
    if page.locator(".cnnlab-demo button[name=play]").count():
        pictures, seconds, steps = page.evaluate(PLAY, SECONDS)
        rate = (pictures - 1) / seconds if seconds else 0.0
        words = f"pictures a second ({pictures} pictures of {steps:g} steps)"
        print(f"{demo:<24}{'playing':<22}{rate:>8.1f} {words}", flush=True)
        # Whole steps are played at their own pace, at most 32 a second: then none of them may be missed.
        kept &= rate >= BUDGET_FPS or pictures >= steps
    for name in sliders(page):
        times = latencies(page, name)
        if not times:
            continue
        median, p95 = statistics.median(times), times[int(0.95 * (len(times) - 1))]
        print(f"{demo:<24}{name:<22}{median:>8.1f}{p95:>8.1f}{len(times):>10}", flush=True)
        kept &= median <= BUDGET_MS
    return kept


def main(names: list[str]) -> int:
    tools = browser_tools()
    if tools.chromium_path() is None:
        print("Chromium is not installed: install it or set CNNLAB_CHROMIUM to its path")
        return 1
    unknown = sorted(set(names) - set(CASES))
    if unknown:
        print(f"no case for {unknown[0]!r}; there are {', '.join(CASES)}")
        return 1
    slow = []
    with (
        tempfile.TemporaryDirectory() as folder,
        tools.chromium() as browser,
        tools.running_lab(Path(folder) / "lab") as lab,
    ):
        print(f"demos in JupyterLab, Chromium {browser.version}, {PRESSES} moves of each slider\n")
        print(f"{'demo':<24}{'slider':<22}{'median':>8}{'p95 ms':>8}{'pictures':>10}")
        for demo in names or CASES:
            cell = (
                f"import numpy as np\nfrom cnnlab import data, demos, nn\nrng = np.random.default_rng(0)\n{CASES[demo]}"
            )
            with tools.local_pages(browser, viewport={"width": 1200, "height": 1400}) as context:
                page = lab.run_notebook(context.new_page(), lab.write_notebook(f"{demo}.ipynb", [cell]))
                page.locator(".cnnlab-demo").scroll_into_view_if_needed()
                page.wait_for_timeout(500)
                if not measure(page, demo):
                    slow.append(demo)
    print(f"\npromised: slider to picture under {BUDGET_MS} ms (median), {BUDGET_FPS} pictures a second")
    if slow:
        print("slower than promised:", ", ".join(slow))
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
