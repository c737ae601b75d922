// From the text of a job file to a spec: key by key along the table.
#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/status.h"
#include "runtime/jobspec/components.h"
#include "runtime/jobspec/defaults.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/overrides.h"
#include "runtime/jobspec/source_text.h"
#include "runtime/jobspec/spec_field.h"
#include "runtime/jobspec/suggest.h"
#include "runtime/jobspec/value.h"
#include "runtime/jobspec/yaml_tree.h"

namespace rm::jobspec {
namespace {

using Kind = YamlNode::Kind;

// Reads a tree into a result. Columns are in bytes until the end.
class Reader {
 public:
  explicit Reader(ParseResult& result) : result_(result) {}

  void ReadSection(const YamlNode& section, const std::string& path) {
    for (const YamlMember& member : section.members) {
      ReadMember(section, JoinKey(path, member.name), member);
    }
  }

  // Fields for which an error was already found: what else can be said of them is a consequence.
  [[nodiscard]] bool IsSpoiled(absl::string_view path) const {
    for (absl::string_view at = path; !at.empty(); at = SectionOf(at)) {
      if (spoiled_.count(std::string(at)) > 0) return true;
    }
    const auto rivals = Rivals(path);
    return std::any_of(rivals.begin(), rivals.end(), [&](absl::string_view rival) {
      return spoiled_.count(std::string(rival)) > 0;
    });
  }
  // Keys that the file gives.
  [[nodiscard]] const std::set<std::string>& given() const { return given_; }

 private:
  // A member is a key of the table, a section of it, or a mistake.
  void ReadMember(const YamlNode& section, const std::string& path, const YamlMember& member) {
    if (const Key* key = FindKey(path)) {
      given_.insert(path);
      const bool at_name = member.value.line == 0 || member.value.kind == Kind::kNull ||
                           key->type == KeyType::kLater;
      AddPosition(path, at_name ? member.line : member.value.line,
                  at_name ? member.column : member.value.column);
      return ReadKey(*key, section, member);
    }
    AddPosition(path, member.line, member.column);
    if (!IsSection(path)) return UnknownKey(path, member);
    if (member.value.kind == Kind::kNull) return;  // a section with every key commented out
    if (member.value.kind == Kind::kMapping) return ReadSection(member.value, path);
    Error(path, absl::StrCat("'", path, "' must be a section with keys (",
                             absl::StrJoin(NamesIn(path), ", "), ")"));
  }

  // By type. Whatever goes wrong is an error at this key, and the next one is read.
  void ReadKey(const Key& key, const YamlNode& section, const YamlMember& member) {
    switch (key.type) {
      case KeyType::kLater:
        return Error(key.path, absl::StrCat("'", NameOf(key.path), "' is not supported yet"));
      case KeyType::kTextList:
        return Check(key.path, ReadTextList(key, member.value));
      case KeyType::kTextMap:
        return ReadMap(key, member.value, [&](const std::string& path, const YamlMember& entry) {
          return ReadTextEntry(key, path, entry);
        });
      case KeyType::kTextListMap:
        return ReadMap(key, member.value, [&](const std::string& path, const YamlMember& entry) {
          return ReadListEntry(path, entry);
        });
      case KeyType::kNumberMap:
        return ReadMap(key, member.value, [&](const std::string& path, const YamlMember& entry) {
          return ReadNumberEntry(key, section, path, entry);
        });
      case KeyType::kRanks:
        return ReadRanks(key, member.value);
      default:
        return Check(key.path, ReadSingle(key, member.value));
    }
  }

  // Only a value that is right gets into the spec: what is judged later can be trusted.
  absl::Status ReadSingle(const Key& key, const YamlNode& node) {
    RM_ASSIGN_OR_RETURN(const Value value, ReadValue(key, node));
    RM_RETURN_IF_ERROR(CheckValue(key, value));
    SetValue(key, value, &result_.spec);
    return absl::OkStatus();
  }

  static absl::StatusOr<std::vector<std::string>> ReadTexts(absl::string_view path,
                                                            const YamlNode& node) {
    if (node.kind != Kind::kList) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "' must be a list of texts, as in [a, b]"));
    }
    std::vector<std::string> texts;
    for (const YamlNode& element : node.elements) {
      RM_ASSIGN_OR_RETURN(texts.emplace_back(), ReadText(path, element));
    }
    return texts;
  }

  // An entry of data.inputs.
  absl::Status ReadListEntry(const std::string& path, const YamlMember& entry) {
    RM_ASSIGN_OR_RETURN(const auto texts, ReadTexts(path, entry.value));
    SetInput(entry.name, texts, &result_.spec);
    return absl::OkStatus();
  }

  // All of it or nothing; which texts it may hold is left to validation.
  absl::Status ReadTextList(const Key& key, const YamlNode& node) {
    if (node.kind == Kind::kNull) return absl::OkStatus();
    RM_ASSIGN_OR_RETURN(const auto texts, ReadTexts(key.path, node));
    for (const std::string& text : texts) AddToTextList(key, text, &result_.spec);
    return absl::OkStatus();
  }

  // Entries beyond the number that validation allows are counted by it, but need no place.
  template <typename ReadEntry>
  void ReadMap(const Key& key, const YamlNode& node, const ReadEntry& read_entry) {
    constexpr size_t kPlacesMax = 100;
    if (node.kind == Kind::kNull) return;
    if (node.kind != Kind::kMapping) {
      return Error(key.path,
                   absl::StrCat("'", key.path, "' must be a section of names and values"));
    }
    for (size_t i = 0; i < node.members.size(); ++i) {
      const YamlMember& entry = node.members[i];
      const std::string path = JoinKey(key.path, entry.name);
      if (i < kPlacesMax) AddPosition(path, entry.line, entry.column);
      Check(path, read_entry(path, entry));
    }
  }

  // An entry of labels or node_selector.
  absl::Status ReadTextEntry(const Key& key, const std::string& path, const YamlMember& entry) {
    RM_ASSIGN_OR_RETURN(const std::string text, ReadText(path, entry.value));
    (*MutableTextMap(key.path, &result_.spec))[entry.name] = text;
    return absl::OkStatus();
  }

  // Parameters of a known component are read by its table; those of a model may be numbers or
  // flags.
  absl::Status ReadNumberEntry(const Key& key, const YamlNode& section, const std::string& path,
                               const YamlMember& entry) {
    double& number = (*MutableNumberMap(key.path, &result_.spec))[entry.name];
    const Key* type_key = FindKey(JoinKey(SectionOf(key.path), "type"));
    const YamlNode* type = section.Find("type");
    const absl::string_view type_name = type != nullptr       ? absl::string_view(type->text)
                                        : type_key != nullptr ? type_key->fallback
                                                              : "";
    const Param* param = FindParam(path, type_name);
    // Models know what they take; and what an optimizer takes that is not known, nobody can say.
    const bool is_known = FindComponent(SectionOf(key.path), type_name) != nullptr;
    const bool may_be_flag = !is_known && ReadFlag(path, entry.value).ok();
    if (may_be_flag || (param != nullptr && param->is_flag)) {
      RM_ASSIGN_OR_RETURN(const bool flag, ReadFlag(path, entry.value));
      number = flag ? 1 : 0;
      return absl::OkStatus();
    }
    RM_ASSIGN_OR_RETURN(number, ReadNumber(path, entry.value));
    return absl::OkStatus();
  }

  // A number, or bounds. Bounds that differ are read all the same: validation says that they are
  // not supported yet.
  void ReadRanks(const Key& key, const YamlNode& node) {
    pb::ResourceSpec& resources = *result_.spec.mutable_resources();
    if (node.kind != Kind::kMapping) {
      const auto ranks = ReadRankCount(key.path, node);
      Check(key.path, ranks.status());
      if (ranks.ok()) resources.set_ranks_min(*ranks);
      if (ranks.ok()) resources.set_ranks_max(*ranks);
      return;
    }
    const YamlNode *min = node.Find("min"), *max = node.Find("max");
    if (min == nullptr || max == nullptr || node.members.size() != 2) {
      return Error(key.path, "'resources.ranks' must be a number or {min: N, max: M}");
    }
    const auto least = ReadRankCount("resources.ranks.min", *min);
    const auto most = ReadRankCount("resources.ranks.max", *max);
    Check(key.path, least.status());
    Check(key.path, most.status());
    if (least.ok()) resources.set_ranks_min(*least);
    if (most.ok()) resources.set_ranks_max(*most);
  }

  // One bound, in range, so that it fits the spec.
  static absl::StatusOr<int32_t> ReadRankCount(absl::string_view what, const YamlNode& node) {
    RM_ASSIGN_OR_RETURN(const int64_t count, ReadWhole(what, node));
    const Range range = FindKey("resources.ranks")->range;
    RM_RETURN_IF_ERROR(CheckRange(what, range, static_cast<double>(count)));
    return static_cast<int32_t>(count);
  }

  // Says what was probably meant: a name like it in this section, or the section where this name
  // belongs; if neither, what is possible here.
  void UnknownKey(const std::string& path, const YamlMember& member) {
    const std::string section(path.substr(0, path.size() - member.name.size()));
    const std::string parent(section.substr(0, section.empty() ? 0 : section.size() - 1));
    const std::vector<absl::string_view> names = NamesIn(parent);
    const std::string nearest = Nearest(member.name, names);
    std::string message = absl::StrCat("unknown key '", member.name.substr(0, 64), "'");
    const std::vector<absl::string_view> homes = SectionsWith(member.name);
    if (!nearest.empty()) {
      absl::StrAppend(&message, DidYouMean(member.name, names));
      spoiled_.insert(JoinKey(parent, nearest));
    } else if (homes.size() == 1) {
      const bool at_top = homes[0].empty();
      absl::StrAppend(&message, " – it belongs ",
                      at_top ? "at the top level" : absl::StrCat("under '", homes[0], "'"));
      spoiled_.insert(JoinKey(homes[0], member.name));
    } else {
      absl::StrAppend(&message, "; possible here: ", absl::StrJoin(names, ", "));
    }
    Error(path, std::move(message));
  }

  // Turns a message of value.h into an error at the field.
  void Check(absl::string_view path, const absl::Status& status) {
    if (!status.ok()) Error(path, std::string(status.message()));
  }

  // The place is the one of the field, which AddPosition has seen just before.
  void Error(absl::string_view path, std::string message) {
    Diagnostic error{0, 0, std::string(path), std::move(message)};
    if (!result_.positions.empty() && result_.positions.back().field_path() == path) {
      error.line = result_.positions.back().line();
      error.column = result_.positions.back().column();
    }
    spoiled_.insert(error.field_path);
    result_.errors.push_back(std::move(error));
  }

  // Nodes that --set made have no place.
  void AddPosition(const std::string& path, int line, int column) {
    if (line == 0) return;
    pb::SourcePosition& position = result_.positions.emplace_back();
    position.set_field_path(path);
    position.set_line(line);
    position.set_column(column);
  }

  ParseResult& result_;
  std::set<std::string> given_;
  std::set<std::string> spoiled_;
};

// The tree of a text, or its errors in `result`.
bool ReadTree(const SourceText& source, ParseResult& result, YamlNode& root) {
  result.errors = source.Problems();
  if (!result.errors.empty()) return false;
  YamlTree tree = ParseYaml(source.text());
  result.errors = std::move(tree.errors);
  for (Diagnostic& error : result.errors) error.column = source.Column(error.line, error.column);
  if (!tree.complete) return false;
  root = std::move(tree.root);
  if (root.kind == Kind::kMapping) return true;
  const absl::string_view what = root.kind == Kind::kNull
                                     ? "the file is empty"
                                     : "a job file is a list of keys with values";
  result.errors.push_back(
      {1, 1, "", absl::StrCat(what, "; it begins with 'apiVersion: ringmaster/v1'")});
  return false;
}

// Orders the errors by place, those without one last, and leaves out what nobody would read.
void Arrange(std::vector<Diagnostic>& errors) {
  std::stable_sort(errors.begin(), errors.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::make_tuple(a.line == 0, a.line, a.column) <
           std::make_tuple(b.line == 0, b.line, b.column);
  });
  if (errors.size() <= static_cast<size_t>(kErrorsMax)) return;
  const size_t left_out = errors.size() - static_cast<size_t>(kErrorsMax) + 1;
  errors.resize(static_cast<size_t>(kErrorsMax) - 1);
  errors.push_back({0, 0, "", absl::StrCat("… and ", left_out, " more errors")});
}

// Errors in what --set gave name it; all others get a place in the file, if need be its beginning.
void NameOrigin(const std::vector<Override>& overrides, Diagnostic& error) {
  const Override* given = FindOverride(overrides, error.field_path);
  // "--set train.ema.decay=1" makes train.ema, which is refused as a whole and stands nowhere else.
  if (given == nullptr && error.line == 0) given = FindOverrideBelow(overrides, error.field_path);
  if (given != nullptr) {
    error.line = error.column = 0;
    error.message = absl::StrCat(given->text, ": ", error.message);
  } else if (error.line == 0) {
    error.line = error.column = 1;
  }
}

}  // namespace

// Text, tree, overrides, spec, defaults, validation; then places are turned into what people count
// by.
ParseResult Parse(absl::string_view yaml, absl::Span<const std::string> overrides) {
  const SourceText source(yaml);
  ParseResult result;
  YamlNode root;
  if (!ReadTree(source, result, root)) {
    Arrange(result.errors);
    return result;
  }
  std::vector<Diagnostic> unusable;
  const std::vector<Override> applied = ApplyOverrides(overrides, root, unusable);
  std::vector<Diagnostic> errors = std::move(result.errors);
  result.errors.clear();

  Reader reader(result);
  reader.ReadSection(root, "");
  FillDefaults(reader.given(), &result.spec);
  for (Diagnostic& error : Validate(result.spec, result.positions)) {
    if (!reader.IsSpoiled(error.field_path)) result.errors.push_back(std::move(error));
  }

  for (pb::SourcePosition& position : result.positions) {
    position.set_column(source.Column(position.line(), position.column()));
  }
  for (Diagnostic& error : result.errors) {
    error.column = source.Column(error.line, error.column);
    NameOrigin(applied, error);
    errors.push_back(std::move(error));
  }
  errors.insert(errors.end(), unusable.begin(), unusable.end());
  Arrange(errors);
  result.errors = std::move(errors);
  return result;
}

}  // namespace rm::jobspec
