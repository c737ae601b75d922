// Files that go with a job: how a spec names them before and after they are uploaded.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/sha256.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/spec_field.h"

namespace rm::jobspec {
namespace {

// The key of a field that names such a file. Anything else is a mistake of ours: users name files, and
// code names fields.
const Key& FileKey(absl::string_view field_path) {
  const Key* key = FindKey(field_path);
  RM_CHECK(key != nullptr && key->type == KeyType::kFile, field_path, " names no file");
  return *key;
}

// By the type of the key, so that the next key of a file (a model, a vocabulary) is uploaded, and found
// again by the coordinator, without a line of code here.
std::vector<std::string> FileFields(const pb::JobSpec& spec, bool uploaded) {
  std::vector<std::string> fields;
  for (const Key& key : Keys()) {
    if (key.type != KeyType::kFile || !IsSet(spec, key.field)) continue;
    const bool is_artifact = absl::StartsWith(FileAt(spec, key.path), kArtifactPrefix);
    if (is_artifact == uploaded) fields.emplace_back(key.path);
  }
  return fields;
}

}  // namespace

// The only place that puts such a name together; the coordinator takes it apart with the function
// below.
std::string ArtifactName(absl::string_view sha256) {
  return absl::StrCat(kArtifactPrefix, sha256);
}

std::string DigestOfArtifact(absl::string_view text) {
  if (!absl::StartsWith(text, kArtifactPrefix)) return "";
  const absl::string_view digest = text.substr(kArtifactPrefix.size());
  return base::IsSha256Hex(digest) ? std::string(digest) : "";
}

std::vector<std::string> FilesToUpload(const pb::JobSpec& spec) {
  return FileFields(spec, /*uploaded=*/false);
}

std::vector<std::string> UploadedFiles(const pb::JobSpec& spec) {
  return FileFields(spec, /*uploaded=*/true);
}

std::string FileAt(const pb::JobSpec& spec, absl::string_view field_path) {
  return std::get<std::string>(GetValue(spec, FileKey(field_path)));
}

void SetFileAt(absl::string_view field_path, absl::string_view value, pb::JobSpec* spec) {
  SetValue(FileKey(field_path), std::string(value), spec);
}

}  // namespace rm::jobspec
