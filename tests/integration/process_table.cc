#include "tests/integration/process_table.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_system.h"

namespace rm::integration {

std::string ReadAll(const std::string& path) {
  // Not a stream: a process that ends while its file below /proc is read makes a stream throw.
  return base::PosixFileSystem().ReadFile(path).value_or("");
}

bool IsRunning(int pid) {
  const std::string stat = ReadAll(absl::StrCat("/proc/", pid, "/stat"));
  return !stat.empty() && stat.find(") Z ") == std::string::npos &&
         stat.find(") X ") == std::string::npos;
}

std::vector<int> AllPids() {
  std::vector<int> pids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    int pid = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &pid)) pids.push_back(pid);
  }
  return pids;
}

std::string EnvironmentOf(int pid, const std::string& name) {
  const std::string text = ReadAll(absl::StrCat("/proc/", pid, "/environ"));
  for (const absl::string_view entry : absl::StrSplit(text, '\0')) {
    const size_t equals = entry.find('=');
    if (equals == absl::string_view::npos) continue;
    if (entry.substr(0, equals) == name) return std::string(entry.substr(equals + 1));
  }
  return "";
}

std::string CommandLineOf(int pid) {
  std::string text = ReadAll(absl::StrCat("/proc/", pid, "/cmdline"));
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

std::vector<int> RunningWith(const std::string& name, const std::string& value) {
  std::vector<int> pids;
  for (const int pid : AllPids()) {
    if (pid != ::getpid() && IsRunning(pid) && EnvironmentOf(pid, name) == value) {
      pids.push_back(pid);
    }
  }
  return pids;
}

}  // namespace rm::integration
