// Every number as a table: all cells, the products behind the framed one, the suspects.
const MOST_LISTED = 1500;

// What stands in a cell: two decimals; two digits and a power where all numbers of the array are small, or one is large.
function cellText(value, largest = 1) {
  if (!Number.isFinite(value)) return exact(value);
  const size = Math.abs(value);
  if (size !== 0 && size < 0.005 && largest > 0.5) return "≈ 0";
  if (size !== 0 && (size < 0.005 || size >= 1e5)) return value.toExponential(1).replace("e+", "e").replace(/-/g, "−");
  return short(value, size >= 100 ? 1 : 2);
}

function autopsyTables({ over, data, sum, index, lined, suspectRows, ...view }) {
  const digits = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(12))).replace("-", "−") : exact(value));
  const listed = over.where.length > 0 && over.expected.length > MOST_LISTED ? over.where.slice(0, MOST_LISTED) : [...over.expected.keys()].slice(0, MOST_LISTED);
  const rows = listed.map((i) => {
    const both = over.inExpected[i] && over.inGot[i];
    const place = shifted0(unravel(i, over.shape), data.block).join(", ");
    return [place, over.inExpected[i] ? digits(over.expected[i]) : "", over.inGot[i] ? digits(over.got[i]) : "", both ? digits(over.got[i] - over.expected[i]) : "", over.wrong[i] ? "wrong" : both ? "right" : "not in both"];
  });
  const cut = rows.length < over.expected.length ? ` (the first ${rows.length}${over.where.length ? " wrong" : ""} ones)` : "";
  const tables = [table(`All cells${cut}`, ["index", "expected", "got", "difference", "verdict"], rows)];
  if (sum) {
    const products = sum.taps.map((tap, k) => [String(k + 1), String(tap.channel), tap.tap.join(", "), tap.padding ? "padding" : tap.from.join(", "), digits(tap.input), digits(tap.weight), digits(tap.product), digits(tap.sum)]);
    tables.push(table(`The sum behind ${indexWords(index)}, beginning with ${sum.bias ? `the bias ${digits(sum.bias)}` : "0"}`, ["no.", "channel", "tap", "input at", "input", "weight", "product", "running sum"], products));
  }
  if (lined.length) {
    const all = suspectRows.call({ lined, index, over, data, ...view });
    tables.push(table("All suspects", ["suspect", "this cell", "cells alike"], all.map(({ name, here, alike }) => [name, here, alike])));
  }
  return tables;
}
