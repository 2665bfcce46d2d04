// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/docs_style.h"

namespace batchllm::daemon {
namespace {

constexpr std::string_view k_style = R"css(
:root {
  --page: #ffffff; --ink: #1c2430; --soft: #5b6675; --line: #e3e7ec; --side: #f6f7f9; --link: #0b5cad;
  --code: #eef1f4; --panel: #10161e; --panel-ink: #d5dde7; --panel-soft: #8b98a8;
  --key: #8cc4ff; --text: #a5d6a0; --value: #f0b47c;
  --get: #1a7f4e; --post: #0b5cad; --patch: #97600a; --delete: #b3261e; --must: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12171e; --ink: #dde3ea; --soft: #97a3b2; --line: #29323d; --side: #171d26; --link: #7ab8ff;
    --code: #222b36; --panel: #0b0f14;
    --get: #55c98d; --post: #7ab8ff; --patch: #e5b45b; --delete: #ff8a80; --must: #ff8a80;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.6 system-ui, sans-serif; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
code, pre { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; font-size: 0.87em; }
code { background: var(--code); border-radius: 4px; padding: 0.1em 0.35em; overflow-wrap: anywhere; }
pre { background: var(--panel); color: var(--panel-ink); border-radius: 8px; margin: 0 0 1rem; padding: 0.9rem 1rem; overflow: auto; line-height: 1.5; font-size: 0.83em; }
pre code { background: none; padding: 0; font-size: 1em; overflow-wrap: normal; }
pre .key { color: var(--key); }
pre .text { color: var(--text); }
pre .value { color: var(--value); }
p { margin: 0 0 0.7rem; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0 0 0.7rem; }
h1 { font-size: 2.1rem; letter-spacing: -0.02em; }
h2 { font-size: 1.6rem; letter-spacing: -0.01em; }
h2::first-letter { text-transform: uppercase; }
h3 { font-size: 1.15rem; }
h3 a { color: inherit; }
h4 { font-size: 0.75rem; font-weight: 600; letter-spacing: 0.06em; text-transform: uppercase; color: var(--soft); margin-top: 1.4rem; }
.lead { font-size: 1.1rem; color: var(--soft); }
.version { font-size: 0.9rem; font-weight: 500; color: var(--soft); letter-spacing: 0; border: 1px solid var(--line); border-radius: 99px; padding: 0.2rem 0.6rem; vertical-align: middle; }

nav { background: var(--side); border-right: 1px solid var(--line); padding: 1.5rem 1rem 2rem 1.25rem; font-size: 0.87rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav > ul > li { margin-bottom: 0.9rem; }
nav > ul > li > a { display: inline-block; color: var(--ink); font-weight: 600; }
nav > ul > li > a::first-letter { text-transform: uppercase; }
nav ul ul a { display: flex; align-items: baseline; color: var(--soft); padding: 0.13rem 0; line-height: 1.4; }
nav ul ul a:hover { color: var(--ink); }
nav .method { flex: 0 0 4.6em; }
.method { font: 600 0.72em/1.6 ui-monospace, "DejaVu Sans Mono", monospace; letter-spacing: 0.02em; }
.method.get { color: var(--get); }
.method.post { color: var(--post); }
.method.patch { color: var(--patch); }
.method.delete { color: var(--delete); }

main { padding: 2.5rem clamp(1.25rem, 4vw, 3.5rem) 6rem; min-width: 0; }
header { max-width: 46rem; }
.tag { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 2.5rem; }
.operation { padding: 1.5rem 0 1rem; }
.operation + .operation { border-top: 1px dashed var(--line); }
.what { max-width: 46rem; min-width: 0; }
.examples { min-width: 0; }
.route code { font-size: 0.95rem; padding: 0.25em 0.5em; }
.route .method { border: 1px solid currentColor; border-radius: 4px; padding: 0.25em 0.5em; font-size: 0.75rem; margin-right: 0.3rem; }
.route i { font-style: normal; color: var(--link); }
dl { margin: 0 0 1rem; }
dt { border-top: 1px solid var(--line); padding-top: 0.6rem; }
dd { margin: 0.2rem 0 0.6rem; color: var(--soft); }
dd p { margin-bottom: 0.3rem; }
dd dl { border-left: 2px solid var(--line); margin: 0.6rem 0 0; padding-left: 1rem; }
dt code { font-weight: 600; background: none; padding: 0; font-size: 0.93em; }
.type, .must { font-size: 0.83rem; color: var(--soft); margin-left: 0.6rem; font-weight: 400; }
.must { color: var(--must); }
.limits { font-size: 0.83rem; color: var(--soft); }
.limits > span:not(:last-child)::after { content: " · "; }
.limits code { font-size: 0.93em; }
.answers { list-style: none; margin: 0; padding: 0; }
.answers li { display: flex; gap: 0.8rem; border-top: 1px solid var(--line); padding: 0.5rem 0; color: var(--soft); }
.answers li > span { min-width: 0; }
.answers b { font: 600 0.85rem/1.8 ui-monospace, "DejaVu Sans Mono", monospace; color: var(--delete); }
.answers .status2 b { color: var(--get); }
.answers .status2 { color: var(--ink); }
small { font-size: 0.83rem; color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.87rem; margin: 0 0 1rem; }
th, td { border-bottom: 1px solid var(--line); padding: 0.3rem 1rem 0.3rem 0; text-align: left; vertical-align: top; }
.schema { max-width: 46rem; padding: 1rem 0; }
:target > h3 a, .operation:target h3 a { color: var(--link); }

@media (min-width: 62rem) {
  body { display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
  nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; }
}
@media (min-width: 84rem) {
  .operation { display: grid; grid-template-columns: minmax(0, 46rem) minmax(0, 36rem); gap: 3rem; }
  .examples { position: sticky; top: 1rem; align-self: start; max-height: calc(100vh - 2rem); overflow-y: auto; }
  .examples h4:first-child { margin-top: 0; }
}
@media (max-width: 61.99rem) {
  nav { border-right: 0; border-bottom: 1px solid var(--line); padding: 0.9rem 1.25rem; }
  nav > ul { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; }
  nav > ul > li { margin: 0; }
  nav ul ul { display: none; }
}
@media print {
  nav { display: none; }
  body { display: block; }
  pre { background: none; color: inherit; border: 1px solid var(--line); white-space: pre-wrap; }
  pre span { color: inherit !important; }
}
)css";

}  // namespace

std::string_view docs_style() noexcept {
  return k_style.substr(1);
}

}  // namespace batchllm::daemon
