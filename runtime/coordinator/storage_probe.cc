// A new content at each start: what a worker reads from a stale copy of the storage (a snapshot, a
// clone, a cache) is then found out too.
#include "runtime/coordinator/storage_probe.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace rm::coordinator {
namespace {

std::string Hex(uint64_t bits) { return absl::StrCat(absl::Hex(bits, absl::kZeroPad16)); }

// The id becomes a part of names on a shared storage: what somebody else wrote there, or a cut-off
// write, must not.
bool IsId(absl::string_view text) {
  return text.size() == 16 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

absl::StatusOr<std::string> StateId(base::FileSystem& files, const std::string& state,
                                    const RandomBitsFn& random) {
  const std::string path = base::JoinPath(state, "id");
  const absl::StatusOr<std::string> present = files.ReadFile(path);
  if (present.ok() && IsId(*present)) return *present;
  const std::string id = Hex(random());
  RM_RETURN_IF_ERROR(base::WriteFileAtomically(files, path, id));
  return id;
}

absl::StatusOr<StorageProbeFile> WriteStorageProbe(base::FileSystem& files,
                                                   const std::string& storage,
                                                   const std::string& id,
                                                   const RandomBitsFn& random) {
  // 128 bits: whoever knows the content has read the file.
  StorageProbeFile probe;
  probe.path = base::JoinPath(storage, absl::StrCat(".ringmaster-probe-", id));
  probe.content = Hex(random()) + Hex(random());
  RM_RETURN_IF_ERROR(base::WriteFileAtomically(files, probe.path, probe.content));
  return probe;
}

}  // namespace rm::coordinator
