// Defaults are texts in the table, read by the same code as a file: a default that a user could not
// write cannot be there.
#include "runtime/jobspec/defaults.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "base/check.h"
#include "base/file_system.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/spec_field.h"
#include "runtime/jobspec/value.h"

namespace rm::jobspec {
namespace {

// What the table says in words. The table is ours, so it can be read.
Value DefaultOf(const Key& key) {
  YamlNode node;
  node.kind = YamlNode::Kind::kText;
  node.text = std::string(key.fallback);
  const auto value = ReadValue(key, node);
  RM_CHECK(value.ok() && CheckValue(key, *value).ok(), "default of ", key.path);
  return *value;
}

// Ranks are two numbers behind one key.
void SetDefault(const Key& key, pb::JobSpec* spec) {
  if (key.type != KeyType::kRanks) return SetValue(key, DefaultOf(key), spec);
  spec->mutable_resources()->set_ranks_min(1);
  spec->mutable_resources()->set_ranks_max(1);
}

// True when 0, or no text, is a value that the key may have: then a spec that holds it may mean it.
bool MayBeNothing(const Key& key) {
  const bool is_text = key.type == KeyType::kChoice || key.type == KeyType::kText;
  return !is_text && key.range.Contains(0);
}

}  // namespace

void FillDefaults(const std::set<std::string>& given, pb::JobSpec* spec) {
  for (const Key& key : Keys()) {
    if (key.fallback.empty() || given.count(std::string(key.path)) > 0) continue;
    const auto rivals = Rivals(key.path);
    const bool has_rival = std::any_of(
        rivals.begin(), rivals.end(),
        [&](absl::string_view rival) { return given.count(std::string(rival)) > 0; });
    if (!has_rival) SetDefault(key, spec);
  }
  // Not in the table: what is not given follows from two other keys.
  if (spec->train().virtual_shards() == 0) {
    spec->mutable_train()->set_virtual_shards(VirtualShards(*spec));
  }
}

// For a spec that came through the API: "given" is what holds something, and what may mean nothing
// by holding nothing.
void ApplyDefaults(pb::JobSpec* spec) {
  std::set<std::string> given;
  for (const Key& key : Keys()) {
    if (key.type == KeyType::kRanks) {
      if (spec->resources().ranks_max() != 0) given.emplace(key.path);
    } else if (HasField(key.field) && (IsSet(*spec, key.field) || MayBeNothing(key))) {
      given.emplace(key.path);
    }
  }
  FillDefaults(given, spec);
}

// Not in the table: it follows from another key.
int64_t VirtualShards(const pb::JobSpec& spec) {
  if (spec.train().determinism() != "exact") return 0;
  if (spec.train().virtual_shards() > 0) return spec.train().virtual_shards();
  int64_t shards = 1;
  while (shards < spec.resources().ranks_max()) shards *= 2;
  return shards;
}

// A path means something only where it was written: on the user's machine, beside the job file.
void MakePathsAbsolute(pb::JobSpec* spec, absl::string_view folder) {
  for (const Key& key : Keys()) {
    const bool is_path = key.type == KeyType::kPath || key.type == KeyType::kFile;
    if (!is_path || !IsSet(*spec, key.field)) continue;
    const std::string path = std::get<std::string>(GetValue(*spec, key));
    if (key.type == KeyType::kFile && absl::StartsWith(path, kArtifactPrefix)) continue;
    SetValue(key, base::AbsolutePath(path, folder), spec);
  }
}

}  // namespace rm::jobspec
