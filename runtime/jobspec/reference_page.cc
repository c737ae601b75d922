// The page is written once for all keys: what a key is called, what it may be, what it is when it is
// not given, and what it does, in the order of the table.
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "runtime/jobspec/components.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/reference.h"
#include "runtime/jobspec/value.h"

namespace rm::jobspec {
namespace {

// What holds for all keys; the rest of the page follows from the table.
constexpr char kHead[] = R"(<!-- Made by `trainctl schema --markdown` from the table of keys. -->
# The job file

A job is a YAML file. The smallest one:

```yaml
apiVersion: ringmaster/v1
kind: train
name: mnist
model: {zoo: mlp}
data:
  train: {path: data/mnist/train, format: idx}
train:
  epochs: 3
  global_batch_size: 128
  optimizer: {type: SGD, params: {lr: 0.05}}
```

`trainctl submit job.yaml --dry-run` checks it and prints it with all defaults;
`--set train.epochs=5` gives a key another value without editing (an empty value removes it).

**Errors** are all reported at once, each with its place and what to do, and end with exit code 2:
`job.yaml:12:5: unknown key 'epoch' – did you mean 'epochs'?`

**Values.** Durations are `500ms`, `30s`, `10m`, `2h`, `1d`, `1h30m`; sizes are `64MB` (of 1000),
`1.5GiB` (of 1024), or a number of bytes; numbers are finite and written without quotes. Paths are
relative to the job file. What the files of each data format look like: [data.md](data.md).

**YAML.** Anchors, aliases and merge keys (`<<`) work. One document, at most 1 MiB of UTF-8, indented
by spaces. Unknown and doubled keys, tags, cycles, and more than 20,000 values once aliases are
resolved are errors.

**Editors** that know JSON Schema complete and check job files by
[jobspec.schema.json](jobspec.schema.json) (`trainctl schema` prints it); the first line for those
with the YAML language server:

```yaml
# yaml-language-server: $schema=docs/jobspec.schema.json
```
)";

// A cell of a table must not hold its delimiter.
std::string Cell(absl::string_view text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

// As one would type it: names and values are set in a typewriter's face.
std::string Code(absl::string_view text) { return absl::StrCat("`", text, "`"); }

// "a|b" → "`a`, `b`".
std::string CodeList(absl::string_view choices) {
  std::vector<std::string> codes;
  for (const absl::string_view choice : absl::StrSplit(choices, '|')) codes.push_back(Code(choice));
  return absl::StrJoin(codes, ", ");
}

// ", 1 … 100", ", above 0 and at most 1": nothing where there are no bounds.
std::string RangeText(const Range& range) {
  const bool low = std::isfinite(range.min), high = std::isfinite(range.max);
  if (low && high && !range.above_min && !range.below_max) {
    return absl::StrCat(", ", WriteNumber(range.min), " … ", WriteNumber(range.max));
  }
  std::vector<std::string> bounds;
  if (low) {
    bounds.push_back(
        absl::StrCat(range.above_min ? "above " : "at least ", WriteNumber(range.min)));
  }
  if (high) {
    bounds.push_back(absl::StrCat(range.below_max ? "below " : "at most ", WriteNumber(range.max)));
  }
  return bounds.empty() ? "" : absl::StrCat(", ", absl::StrJoin(bounds, " and "));
}

// What may stand behind the colon, in a few words. Units are explained once, at the head of the page.
std::string ValueText(const Key& key) {
  switch (key.type) {
    case KeyType::kText: return "text";
    case KeyType::kPath: return "path";
    case KeyType::kFile: return "path of a file, uploaded with the job; or `artifact:<sha256>`";
    case KeyType::kChoice: return CodeList(key.choices);
    case KeyType::kWhole: return absl::StrCat("whole number", RangeText(key.range));
    case KeyType::kNumber: return absl::StrCat("number", RangeText(key.range));
    case KeyType::kDuration: return "duration";
    case KeyType::kBytes: return "size";
    case KeyType::kTextList: return "list of texts";
    case KeyType::kTextListMap: return "names and lists of texts";
    case KeyType::kTextMap:
      return key.choices.empty() ? "names and texts"
                                 : absl::StrCat("names, each with ", CodeList(key.choices));
    case KeyType::kNumberMap: return "names and numbers";
    case KeyType::kRanks:
      return absl::StrCat("whole number", RangeText(key.range), "; or `{min: N, max: N}`");
    case KeyType::kLater: return "";
  }
  return "";
}

// What holds when the key is not given.
std::string DefaultText(const Key& key) {
  if (key.required) return "**required**";
  if (!key.fallback.empty()) return Code(key.fallback);
  if (key.required_in_section) return absl::StrCat("required with ", Code(SectionOf(key.path)));
  for (const absl::string_view rival : Rivals(key.path)) {
    const bool has_default = !FindKey(rival)->fallback.empty();
    return absl::StrCat(has_default ? "instead of " : "**required**, or ", Code(rival));
  }
  return "";
}

// Every table has the same four columns, so that the eye finds the default without reading a head.
constexpr char kTableHead[] = "\n| key | value | default | what it is |\n|---|---|---|---|\n";

// The key's name within its top-level section: "optimizer.type".
absl::string_view ShortName(absl::string_view path) {
  const size_t dot = path.find('.');
  return dot == absl::string_view::npos ? path : path.substr(dot + 1);
}

// One row. Whatever comes from the table of keys is made safe for a cell here, and nowhere else.
void AppendKey(const Key& key, std::string* page) {
  absl::StrAppend(page, "| ", Code(ShortName(key.path)), " | ", Cell(ValueText(key)), " | ",
                  Cell(DefaultText(key)), " | ", Cell(key.doc), " |\n");
}

// A table a section; keys outside of any come first.
void AppendKeys(std::string* page) {
  absl::StrAppend(page, "\n## The file\n", kTableHead);
  for (const Key& key : Keys()) {
    const bool at_top = SectionOf(key.path).empty();
    if (at_top && key.type != KeyType::kLater) AppendKey(key, page);
  }
  absl::string_view open;
  for (const Key& key : Keys()) {
    const absl::string_view top = key.path.substr(0, key.path.find('.'));
    if (top == key.path || key.type == KeyType::kLater) continue;
    if (top != open) absl::StrAppend(page, "\n## ", top, "\n", kTableHead);
    open = top;
    AppendKey(key, page);
  }
}

// The parameters of one optimizer or schedule; that there are none is said, too, since an empty table
// would look like a mistake of the page.
void AppendParams(const Component& component, std::string* page) {
  absl::StrAppend(page, "\n### ", component.section, ": ", component.type, "\n");
  if (component.params.empty()) {
    absl::StrAppend(page, "\nTakes no parameters.\n");
    return;
  }
  absl::StrAppend(page, kTableHead);
  for (const Param& param : component.params) {
    const std::string value =
        param.is_flag ? "true or false" : absl::StrCat("number", RangeText(param.range));
    absl::StrAppend(page, "| ", Code(absl::StrCat("params.", param.name)), " | ", Cell(value),
                    " | ", param.required ? "**required**" : Code(param.is_flag ? "false" : param.fallback),
                    " | ", Cell(param.doc), " |\n");
  }
}

// What people may look for in vain, by name.
void AppendLater(std::string* page) {
  absl::StrAppend(page,
                  "\n## Not supported yet\n\nThese names are known and refused, so that no job "
                  "runs otherwise than its file says.\n\n| key | what it will be |\n|---|---|\n");
  for (const Key& key : Keys()) {
    if (key.type == KeyType::kLater) {
      absl::StrAppend(page, "| ", Code(key.path), " | ", Cell(key.doc), " |\n");
    } else if (key.type == KeyType::kChoice && !key.later.empty()) {
      absl::StrAppend(page, "| ", Code(key.path), " | ", Cell(CodeList(key.later)), " |\n");
    } else if (key.type == KeyType::kRanks) {
      absl::StrAppend(page, "| ", Code(key.path), " | ",
                      Code("{min: N, max: M}"), " with a min below its max: an elastic job |\n");
    } else if (!key.later.empty()) {
      absl::StrAppend(page, "| ", Code(key.path), " | above ", WriteNumber(key.range.max), " |\n");
    }
  }
}

}  // namespace

// Head, keys, parameters, and last what is missing: whoever looks for a key and does not find it comes
// to the end of the page.
std::string ReferencePage() {
  std::string page = kHead;
  AppendKeys(&page);
  absl::StrAppend(&page,
                  "\n## Parameters\n\nThose of a built-in model are the model's own; a wrong name "
                  "or number is found at submit.\n");
  for (const Component& component : Components()) AppendParams(component, &page);
  AppendLater(&page);
  return page;
}

}  // namespace rm::jobspec
