"""The style of a card.

Ink and page come from JupyterLab's variables where they exist, so that a card follows Lab's own theme; elsewhere from
the reader's preference. Badges bring their own pair of colors (contrast of at least 4.5) and always hold a word.
"""

_DARK = """
--ink: var(--jp-content-font-color1, #f3f4f6); --page: var(--jp-layout-color1, #111111);
--muted: #b4bac6; --line: #4b5563; --panel: #2b2413; --edge: #f0b83d;
"""

# "&" stands for the card, named twice: JupyterLab's own rules for lists and tables in outputs must not win.
_RULES = """
& {
--ink: var(--jp-content-font-color1, #111827); --page: var(--jp-layout-color1, #ffffff);
--muted: #4b5563; --line: #d1d5db; --panel: #fdf6e3; --edge: #b7791f;
box-sizing: border-box; max-width: 46rem; margin: .25rem 0; padding: .9rem 1.1rem; border: 1px solid var(--line);
border-radius: 8px; background: var(--page); color: var(--ink);
font: 14px/1.5 var(--jp-content-font-family, system-ui, sans-serif);
}
@media (prefers-color-scheme: dark) { & { DARK } }
[data-jp-theme-light="true"] & {
--muted: #4b5563; --line: #d1d5db; --panel: #fdf6e3; --edge: #b7791f;
}
[data-jp-theme-light="false"] & { DARK }
& header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem .6rem; }
& .title { font-size: 1.15em; font-weight: 600; }
& code { color: var(--muted); background: none; padding: 0; font-size: .9em; }
& .points { margin-left: auto; text-align: right; font-variant-numeric: tabular-nums; }
& .points b { font-size: 1.15em; }
& small { display: block; color: var(--muted); font-size: .85em; }
& p { margin: .3rem 0; }
& .summary { margin: .1rem 0 .7rem; }
& .mistake { margin: .2rem 0 .8rem; padding: .6rem .9rem; border-left: 4px solid var(--edge);
border-radius: 4px; background: var(--panel); }
& .mistake .label { margin: 0; color: var(--muted); font-size: .85em; }
& .mistake .name { margin: 0 0 .3rem; font-weight: 600; font-size: 1.05em; }
& ul.checks { list-style: none; margin: 0; padding: 0; }
& li { margin: 0; padding: .45rem 0; border-top: 1px solid var(--line); }
& + & { margin-top: 1rem; }
/* The demo below a card needs its kernel: in a notebook that was opened again JupyterLab writes an error there. */
.jp-OutputArea-child:has(&) + .jp-OutputArea-child > .lm-Panel.jp-OutputArea-output:not(:has(*)) { display: none; }
& .row { margin: 0; padding: 0; display: flex; align-items: baseline; gap: .7rem; }
& .what { flex: 1; }
& .worth { color: var(--muted); font-variant-numeric: tabular-nums; white-space: nowrap; }
& .badge { flex: none; width: 6.2em; box-sizing: border-box; padding: .05em .5em; border-radius: 4px;
font-size: .85em; text-align: center; white-space: nowrap; }
& .yes { background: #046c4e; color: #ffffff; }
& .no { background: #9a3412; color: #ffffff; }
& .hidden-mark { margin-left: .4em; padding: 0 .4em; border: 1px solid var(--line); border-radius: 4px;
color: var(--muted); font-size: .8em; }
& .message, & .case { margin-left: calc(6.2em * .85 + .7rem); }
& details { margin-top: .3rem; }
& summary { cursor: pointer; color: var(--muted); }
& summary:focus-visible { outline: 2px solid var(--edge); outline-offset: 2px; }
& .answers { display: flex; flex-wrap: wrap; gap: .6rem 2rem; margin: .5rem 0; overflow-x: auto; }
& .pictures { display: flex; flex-wrap: wrap; gap: .6rem 1.2rem; margin: .5rem 0; }
& figure { margin: 0; max-width: 100%; }
& figure svg { display: block; max-width: 100%; height: auto; }
& figure .frame { fill: none; stroke: #111827; stroke-width: 1.5; }
& figcaption { color: var(--muted); font-size: .85em; }
@media (max-width: 32rem) {
& { padding: .7rem .8rem; }
& .message, & .case { margin-left: 0; }
& .row { flex-wrap: wrap; gap: .2rem .6rem; }
& .worth { margin-left: auto; }
& .what { flex-basis: 100%; order: 1; }
}
& table { margin: 0; border-collapse: collapse; border: 0; background: none; color: var(--ink);
font-size: 13px; font-variant-numeric: tabular-nums; }
& caption { caption-side: top; padding: 0 0 .2rem; text-align: left; color: var(--muted);
white-space: nowrap; }
& tbody tr:nth-child(n) { background: none; }
& th, & td { padding: .15em .6em; border: 1px solid var(--line); background: none;
color: var(--ink); text-align: right; }
& th, & td:empty { border-color: transparent; color: var(--muted); font-weight: 400;
font-size: .85em; }
& td.none { border-color: transparent; color: var(--muted); text-align: left; }
& td.wrong { outline: 2px solid var(--edge); outline-offset: -2px; background: var(--panel);
font-weight: 700; }
& pre { margin: .3rem 0; padding: .5rem .7rem; overflow-x: auto; border: 1px solid var(--line);
border-radius: 4px; background: none; color: var(--ink); font-size: 12.5px; line-height: 1.45; }
"""

CSS = _RULES.replace("DARK", _DARK.strip()).replace("&", ".cnnlab-card.cnnlab-card")
