// A file is opened for each chunk and closed again: with hundreds of ranks and a few chunks a
// second that is cheaper than keeping descriptors, and a log can be moved or deleted under us.
#include "runtime/coordinator/log_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace rm::coordinator {
namespace {

// Job ids come from us, but chunks come over the network: nothing may lead out of the folder.
bool IsPlainName(absl::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == absl::string_view::npos &&
         name.find('\0') == absl::string_view::npos;
}

// Beyond what any job has, and far from where sums overflow.
constexpr int32_t kRankMax = 1 << 20;
constexpr int64_t kOffsetMax = int64_t{1} << 56;

}  // namespace

LogStore::LogStore(std::string folder, base::FileSystem& files)
    : folder_(std::move(folder)), files_(files) {}

std::string LogStore::Path(const std::string& job_id, int32_t rank) const {
  return absl::StrCat(folder_, "/", job_id, "/rank_", rank, ".log");
}

absl::Status LogStore::Append(const std::string& job_id, int32_t rank, const std::string& worker_id,
                              int64_t offset, absl::string_view data) {
  if (!IsPlainName(job_id) || rank < 0 || rank > kRankMax || offset < 0 || offset > kOffsetMax) {
    return absl::InvalidArgumentError("a log chunk of no job");
  }
  // Offsets are of the worker's file, not of ours: ours has what all workers of this rank sent.
  int64_t& next = next_.try_emplace({job_id, rank, worker_id}, offset).first->second;
  if (offset < next) {
    const int64_t known = std::min<int64_t>(next - offset, static_cast<int64_t>(data.size()));
    data.remove_prefix(static_cast<size_t>(known));
    offset += known;
  }
  if (data.empty()) return absl::OkStatus();
  std::string text;
  if (offset > next) {
    absl::StrAppend(&text, "[", offset - next, " bytes of this log did not come from worker ",
                    worker_id, "]\n");
  }
  absl::StrAppend(&text, data);
  RM_ASSIGN_OR_RETURN(const auto file, Open(Path(job_id, rank)));
  RM_RETURN_IF_ERROR(file->Append(text));
  // Only now: after a failed write the chunk counts as missing, and the next one will say so.
  next = offset + static_cast<int64_t>(data.size());
  return file->Close();
}

absl::StatusOr<std::unique_ptr<base::WritableFile>> LogStore::Open(const std::string& path) {
  auto file = files_.OpenForAppend(path);
  if (!absl::IsNotFound(file.status())) return file;
  RM_RETURN_IF_ERROR(files_.MakeFolders(base::ParentPath(path)));
  return files_.OpenForAppend(path);
}

// The map is ordered by job first, so all of a job's places stand side by side.
void LogStore::Forget(const std::string& job_id) {
  auto place = next_.lower_bound({job_id, 0, ""});
  while (place != next_.end() && std::get<0>(place->first) == job_id) place = next_.erase(place);
  ended_.erase(job_id);
}

std::vector<int32_t> LogStore::Ranks(const std::string& job_id) const {
  std::vector<int32_t> ranks;
  const auto names = files_.List(absl::StrCat(folder_, "/", job_id));
  if (!names.ok()) return ranks;
  // From the names, not from memory: logs of before a restart are shown too.
  for (absl::string_view name : *names) {
    int32_t rank = 0;
    if (absl::ConsumePrefix(&name, "rank_") && absl::ConsumeSuffix(&name, ".log") &&
        absl::SimpleAtoi(name, &rank)) {
      ranks.push_back(rank);
    }
  }
  std::sort(ranks.begin(), ranks.end());
  return ranks;
}

int64_t LogStore::Size(const std::string& job_id, int32_t rank) const {
  const auto info = files_.Stat(Path(job_id, rank));
  return info.ok() ? static_cast<int64_t>(info->bytes) : 0;
}

absl::StatusOr<std::string> LogStore::Read(const std::string& job_id, int32_t rank, int64_t offset,
                                           int64_t bytes_max) const {
  const int64_t bytes = std::min(bytes_max, Size(job_id, rank) - offset);
  if (bytes <= 0) return std::string();
  RM_ASSIGN_OR_RETURN(const auto file, files_.Open(Path(job_id, rank)));
  std::string text(static_cast<size_t>(bytes), '\0');
  RM_RETURN_IF_ERROR(
      file->Read(static_cast<uint64_t>(offset), static_cast<uint64_t>(bytes), text.data()));
  return text;
}

}  // namespace rm::coordinator
