// An override is put into the tree and not into the spec, so that it goes through the same reading
// and the same messages as the file, and a key that does not exist is found in the same way.
#include "runtime/jobspec/overrides.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/utf8.h"
#include "runtime/jobspec/key_table.h"

namespace rm::jobspec {
namespace {

using Kind = YamlNode::Kind;

// "labels.a.b" is the entry "a.b" of labels; all other dots part sections.
std::vector<std::string> Parts(absl::string_view path) {
  if (const Key* map = FindMapOf(path)) {
    std::vector<std::string> parts = absl::StrSplit(map->path, '.');
    parts.emplace_back(path.substr(map->path.size() + 1));
    return parts;
  }
  return absl::StrSplit(path, '.');
}

// Removing what is not there is fine: "--set x=" says that x is not given.
void RemoveMember(YamlNode& section, absl::string_view name) {
  section.members.erase(
      std::remove_if(section.members.begin(), section.members.end(),
                     [&](const YamlMember& member) { return member.name == name; }),
      section.members.end());
}

// The node at `parts`, with sections made on the way; what is no section gives way to one.
YamlNode& NodeAt(YamlNode& root, const std::vector<std::string>& parts) {
  YamlNode* node = &root;
  for (const std::string& part : parts) {
    if (node->kind != Kind::kMapping) {
      *node = YamlNode();
      node->kind = Kind::kMapping;
    }
    const auto found = std::find_if(node->members.begin(), node->members.end(),
                                    [&](const YamlMember& member) { return member.name == part; });
    if (found != node->members.end()) {
      found->line = 0;
      node = &found->value;
    } else {
      node->members.push_back({part, 0, 0, {}});
      node = &node->members.back().value;
    }
  }
  return *node;
}

// The same for a path; sections on the way are left, even when they are empty now.
void Remove(YamlNode& root, const std::vector<std::string>& parts) {
  YamlNode* node = &root;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto found = std::find_if(
        node->members.begin(), node->members.end(),
        [&](const YamlMember& member) { return member.name == parts[i]; });
    if (found == node->members.end()) return;
    node = &found->value;
  }
  RemoveMember(*node, parts.back());
}

// A place within the argument of --set would be taken for one in the file.
void ForgetPlaces(YamlNode& node) {
  node.line = node.column = 0;
  for (YamlNode& element : node.elements) ForgetPlaces(element);
  for (YamlMember& member : node.members) {
    member.line = member.column = 0;
    ForgetPlaces(member.value);
  }
}

// "train.steps" is below "train"; "training" is not.
bool IsAtOrBelow(absl::string_view path, absl::string_view section) {
  return path == section || absl::StartsWith(path, absl::StrCat(section, "."));
}

}  // namespace

// One after the other, so that a later one can take back an earlier one.
std::vector<Override> ApplyOverrides(absl::Span<const std::string> overrides, YamlNode& root,
                                     std::vector<Diagnostic>& errors) {
  std::vector<Override> applied;
  for (const std::string& text : overrides) {
    const size_t equals = text.find('=');
    // Shown, and kept as a path, in UTF-8 whatever was typed.
    const std::string shown = base::ValidUtf8(text);
    const Override given{shown.substr(0, shown.find('=')), absl::StrCat("--set ", shown)};
    if (shown != text) {
      errors.push_back({0, 0, "", absl::StrCat(given.text, ": this is not valid UTF-8")});
      continue;
    }
    const std::vector<std::string> parts = Parts(given.path);
    if (equals == std::string::npos || std::count(parts.begin(), parts.end(), "") > 0 ||
        parts.size() > kYamlDepthMax) {
      errors.push_back({0, 0, "", absl::StrCat(given.text, ": write it as field.path=value")});
      continue;
    }
    YamlTree value = ParseYaml(absl::string_view(text).substr(equals + 1));
    if (!value.errors.empty()) {
      errors.push_back({0, 0, given.path,
                        absl::StrCat(given.text, ": ", value.errors.front().message)});
      continue;
    }
    if (value.root.kind == Kind::kNull) {
      Remove(root, parts);
    } else {
      for (const absl::string_view rival : Rivals(given.path)) Remove(root, Parts(rival));
      ForgetPlaces(value.root);
      NodeAt(root, parts) = std::move(value.root);
    }
    applied.push_back(given);
  }
  return applied;
}

// From the last one on: it is the one whose value stands.
const Override* FindOverride(const std::vector<Override>& overrides,
                             absl::string_view field_path) {
  for (auto it = overrides.rbegin(); it != overrides.rend(); ++it) {
    if (IsAtOrBelow(field_path, it->path)) return &*it;
  }
  return nullptr;
}

const Override* FindOverrideBelow(const std::vector<Override>& overrides,
                                  absl::string_view field_path) {
  for (auto it = overrides.rbegin(); it != overrides.rend(); ++it) {
    if (!field_path.empty() && IsAtOrBelow(it->path, field_path)) return &*it;
  }
  return nullptr;
}

}  // namespace rm::jobspec
