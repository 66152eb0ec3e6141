"""The style of a card.

Ink and page come from JupyterLab's variables where they exist, so that a card follows Lab's own theme; elsewhere from
the reader's preference. Badges bring their own pair of colors (contrast of at least 4.5) and always hold a word.
"""

_DARK = """
--ink: var(--jp-content-font-color1, #f3f4f6); --page: var(--jp-layout-color1, #111111);
--muted: #b4bac6; --line: #4b5563; --panel: #2b2413; --edge: #f0b83d;
"""

CSS = f"""
.cnnlab-card {{
--ink: var(--jp-content-font-color1, #111827); --page: var(--jp-layout-color1, #ffffff);
--muted: #4b5563; --line: #d1d5db; --panel: #fdf6e3; --edge: #b7791f;
box-sizing: border-box; max-width: 46rem; margin: .25rem 0; padding: .9rem 1.1rem; border: 1px solid var(--line);
border-radius: 8px; background: var(--page); color: var(--ink);
font: 14px/1.5 var(--jp-content-font-family, system-ui, sans-serif);
}}
@media (prefers-color-scheme: dark) {{ .cnnlab-card {{ {_DARK} }} }}
[data-jp-theme-light="true"] .cnnlab-card {{
--muted: #4b5563; --line: #d1d5db; --panel: #fdf6e3; --edge: #b7791f;
}}
[data-jp-theme-light="false"] .cnnlab-card {{ {_DARK} }}
.cnnlab-card header {{ display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem .6rem; }}
.cnnlab-card .title {{ font-size: 1.15em; font-weight: 600; }}
.cnnlab-card code {{ color: var(--muted); background: none; padding: 0; font-size: .9em; }}
.cnnlab-card .points {{ margin-left: auto; text-align: right; font-variant-numeric: tabular-nums; }}
.cnnlab-card .points b {{ font-size: 1.15em; }}
.cnnlab-card small {{ display: block; color: var(--muted); font-size: .85em; }}
.cnnlab-card p {{ margin: .3rem 0; }}
.cnnlab-card .summary {{ margin: .1rem 0 .7rem; }}
.cnnlab-card .mistake {{ margin: .2rem 0 .8rem; padding: .6rem .9rem; border-left: 4px solid var(--edge);
border-radius: 4px; background: var(--panel); }}
.cnnlab-card .mistake .label {{ margin: 0; color: var(--muted); font-size: .85em; }}
.cnnlab-card .mistake .name {{ margin: 0 0 .3rem; font-weight: 600; font-size: 1.05em; }}
.cnnlab-card ul {{ list-style: none; margin: 0; padding: 0; }}
.cnnlab-card li {{ margin: 0; padding: .45rem 0; border-top: 1px solid var(--line); }}
.cnnlab-card .row {{ display: flex; align-items: baseline; gap: .7rem; }}
.cnnlab-card .what {{ flex: 1; }}
.cnnlab-card .worth {{ color: var(--muted); font-variant-numeric: tabular-nums; white-space: nowrap; }}
.cnnlab-card .badge {{ flex: none; width: 6.2em; box-sizing: border-box; padding: .05em .5em; border-radius: 4px;
font-size: .85em; text-align: center; white-space: nowrap; }}
.cnnlab-card .yes {{ background: #046c4e; color: #ffffff; }}
.cnnlab-card .no {{ background: #9a3412; color: #ffffff; }}
.cnnlab-card .hidden-mark {{ margin-left: .4em; padding: 0 .4em; border: 1px solid var(--line); border-radius: 4px;
color: var(--muted); font-size: .8em; }}
.cnnlab-card .message, .cnnlab-card .case {{ margin-left: calc(6.2em * .85 + .7rem); }}
.cnnlab-card details {{ margin-top: .3rem; }}
.cnnlab-card summary {{ cursor: pointer; color: var(--muted); }}
.cnnlab-card summary:focus-visible {{ outline: 2px solid var(--edge); outline-offset: 2px; }}
.cnnlab-card .answers {{ display: flex; flex-wrap: wrap; gap: .6rem 2rem; margin: .5rem 0; overflow-x: auto; }}
.cnnlab-card table {{ margin: 0; border-collapse: collapse; border: 0; background: none; color: var(--ink);
font-size: 13px; font-variant-numeric: tabular-nums; }}
.cnnlab-card caption {{ caption-side: top; padding: 0 0 .2rem; text-align: left; color: var(--muted);
white-space: nowrap; }}
.cnnlab-card tr, .cnnlab-card tr:nth-child(even) {{ background: none; }}
.cnnlab-card th, .cnnlab-card td {{ padding: .15em .6em; border: 1px solid var(--line); background: none;
color: var(--ink); text-align: right; }}
.cnnlab-card th, .cnnlab-card td:empty {{ border-color: transparent; color: var(--muted); font-weight: 400;
font-size: .85em; }}
.cnnlab-card td.none {{ border-color: transparent; color: var(--muted); text-align: left; }}
.cnnlab-card td.wrong {{ outline: 2px solid var(--edge); outline-offset: -2px; background: var(--panel);
font-weight: 700; }}
.cnnlab-card pre {{ margin: .3rem 0; padding: .5rem .7rem; overflow-x: auto; border: 1px solid var(--line);
border-radius: 4px; background: none; color: var(--ink); font-size: 12.5px; line-height: 1.45; }}
"""
