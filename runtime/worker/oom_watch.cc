#include "runtime/worker/oom_watch.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace rm::worker {
namespace {

// More kills than ranks on a machine are not worth remembering.
constexpr size_t kKillsMax = 1024;

// The number behind "oom_kill " in a file of "name number" lines: all three sources have that form
// and that name.
std::optional<int64_t> ReadCount(const base::FileSystem& files, const std::string& path) {
  const auto text = files.ReadFile(path);
  if (!text.ok()) return std::nullopt;
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    int64_t count = 0;
    if (pair.first == "oom_kill" && absl::SimpleAtoi(pair.second, &count)) return count;
  }
  return std::nullopt;
}

// Lines of /proc/self/cgroup are "number:controllers:path"; version 2 has number 0 and no
// controllers. In a container the path may be that of the host while only its end is mounted, so the
// root of the mount is tried too.
std::vector<std::string> CounterFiles(const base::FileSystem& files, const std::string& proc,
                                      const std::string& cgroups) {
  std::vector<std::string> paths;
  const auto text = files.ReadFile(absl::StrCat(proc, "/self/cgroup"));
  for (const absl::string_view line : absl::StrSplit(text.ok() ? *text : "", '\n')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const std::vector<absl::string_view> controllers = absl::StrSplit(parts[1], ',');
    if (parts[1].empty()) {
      paths.push_back(absl::StrCat(cgroups, parts[2], "/memory.events"));
      paths.push_back(absl::StrCat(cgroups, "/memory.events"));
    } else if (std::count(controllers.begin(), controllers.end(), "memory") > 0) {
      paths.push_back(absl::StrCat(cgroups, "/memory", parts[2], "/memory.oom_control"));
      paths.push_back(absl::StrCat(cgroups, "/memory/memory.oom_control"));
    }
  }
  paths.push_back(absl::StrCat(proc, "/vmstat"));
  return paths;
}

}  // namespace

// The first source that tells a count is kept: a count must not jump because another file answers.
OomCounter SystemOomCounter(const base::FileSystem& files, const std::string& proc,
                            const std::string& cgroups) {
  for (const std::string& path : CounterFiles(files, proc, cgroups)) {
    if (!ReadCount(files, path).has_value()) continue;
    return [&files, path] { return ReadCount(files, path); };
  }
  return [] { return std::nullopt; };
}

// What was counted before the start is nobody's whom we know.
OomWatch::OomWatch(OomCounter counter) : counter_(std::move(counter)), seen_(counter_()) {}

// Without a count (the file is gone, or never was) nothing is concluded. A count that falls is that
// of another kernel or cgroup: it becomes the new beginning.
void OomWatch::Look(absl::Duration now) {
  const std::optional<int64_t> count = counter_();
  if (!count.has_value()) return;
  const int64_t rise = std::max<int64_t>(0, *count - seen_.value_or(*count));
  for (int64_t i = 0; i < rise && kills_.size() < kKillsMax; ++i) kills_.push_back(now);
  seen_ = count;
  while (!kills_.empty() && now - kills_.front() > kFresh) kills_.pop_front();
}

// The oldest first: of several victims the one that was counted first has had most time to die.
bool OomWatch::Claim(absl::Duration now) {
  Look(now);
  if (kills_.empty()) return false;
  kills_.pop_front();
  return true;
}

}  // namespace rm::worker
