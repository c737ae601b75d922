// A spec as a job file, in the order of the table.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "runtime/jobspec/components.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/spec_field.h"
#include "runtime/jobspec/value.h"

namespace rm::jobspec {
namespace {

// Writes keys and opens the sections that they lie in.
class Writer {
 public:
  void Line(absl::string_view path, absl::string_view value) {
    const std::vector<std::string> parts = absl::StrSplit(path, '.');
    Line(parts, value);
  }

  // The last part is a name of the user's own, and may be anything.
  void Entry(absl::string_view map, absl::string_view name, absl::string_view value) {
    std::vector<std::string> parts = absl::StrSplit(map, '.');
    parts.push_back(WriteText(name));
    Line(parts, value);
  }

  [[nodiscard]] std::string Take() { return std::move(text_); }

 private:
  void Line(const std::vector<std::string>& parts, absl::string_view value) {
    size_t level = 0;
    const size_t sections = std::min(parts.size() - 1, open_.size());
    while (level < sections && open_[level] == parts[level]) ++level;
    open_.assign(parts.begin(), parts.end() - 1);
    for (; level + 1 < parts.size(); ++level) Append(level, parts[level], "");
    Append(level, parts[level], value);
  }

  void Append(size_t level, absl::string_view name, absl::string_view value) {
    absl::StrAppend(&text_, std::string(2 * level, ' '), name, ":", value.empty() ? "" : " ", value,
                    "\n");
  }

  std::string text_;
  std::vector<std::string> open_;  // the sections of the last line
};

// As short as it can be said.
std::string WriteRanks(const pb::ResourceSpec& resources) {
  if (resources.ranks_min() == resources.ranks_max()) return absl::StrCat(resources.ranks_min());
  return absl::StrCat("{min: ", resources.ranks_min(), ", max: ", resources.ranks_max(), "}");
}

// Flags as the words that they are written with.
std::string WriteParam(absl::string_view map, const std::string& name, double number,
                       const pb::JobSpec& spec) {
  const Key* type_key = FindKey(JoinKey(SectionOf(map), "type"));
  if (type_key != nullptr) {
    const std::string type = std::get<std::string>(GetValue(spec, *type_key));
    const Param* param = FindParam(JoinKey(map, name), type);
    if (param != nullptr && param->is_flag) return number != 0 ? "true" : "false";
  }
  return WriteNumber(number);
}

std::string WriteList(const std::vector<std::string>& texts) {
  const auto write = [](std::string* out, const std::string& text) { *out += WriteText(text); };
  return absl::StrCat("[", absl::StrJoin(texts, ", ", write), "]");
}

// Written out: what is set, and zeros that mean something because the default is another value.
bool IsWritten(const pb::JobSpec& spec, const Key& key) {
  if (IsSet(spec, key.field)) return true;
  const bool zero_counts = key.type == KeyType::kWhole || key.type == KeyType::kNumber ||
                           key.type == KeyType::kDuration;
  return zero_counts && !key.fallback.empty() && key.range.Contains(0);
}

// One key by its type; a map is a line an entry.
void WriteKey(const pb::JobSpec& spec, const Key& key, Writer& writer) {
  if (key.type == KeyType::kLater || (key.type != KeyType::kRanks && !HasField(key.field))) return;
  if (key.type == KeyType::kRanks) {
    writer.Line(key.path, WriteRanks(spec.resources()));
  } else if (key.type == KeyType::kTextMap) {
    for (const auto& [name, text] : GetTextMap(key.path, spec)) {
      writer.Entry(key.path, name, WriteText(text));
    }
  } else if (key.type == KeyType::kTextListMap) {
    for (const auto& [name, texts] : GetInputs(spec)) {
      writer.Entry(key.path, name, WriteList(texts));
    }
  } else if (key.type == KeyType::kNumberMap) {
    for (const auto& [name, number] : GetNumberMap(key.path, spec)) {
      writer.Entry(key.path, name, WriteParam(key.path, name, number, spec));
    }
  } else if (key.type == KeyType::kTextList) {
    if (IsSet(spec, key.field)) writer.Line(key.path, WriteList(GetTextList(spec, key)));
  } else if (IsWritten(spec, key)) {
    writer.Line(key.path, WriteValue(key, GetValue(spec, key)));
  }
}

}  // namespace

std::string ToYaml(const pb::JobSpec& spec) {
  Writer writer;
  for (const Key& key : Keys()) WriteKey(spec, key, writer);
  return writer.Take();
}

}  // namespace rm::jobspec
