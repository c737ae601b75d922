// The kernel knows the socket of a listener (/proc/net/tcp), and for each process its descriptors
// (/proc/<pid>/fd/<n>, links to "socket:[inode]"): the two are joined by the inode.
#include "runtime/coordinator/port_holder.h"

#include <unistd.h>

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/file_system.h"

namespace rm::coordinator {
namespace {

constexpr absl::string_view kListening = "0A";  // TCP_LISTEN in the table's st column

// "socket:[4711]" for a socket; "" for what is gone since it was listed, or may not be read.
std::string LinkTarget(const std::string& path) {
  char target[128];
  const ssize_t size = readlink(path.c_str(), target, sizeof(target));
  return size > 0 ? std::string(target, static_cast<size_t>(size)) : "";
}

// Whether the process has the socket open. Processes come and go while we look: whatever cannot be
// read is not it.
bool HasDescriptor(const base::FileSystem& files, const std::string& process,
                   const std::string& target) {
  const auto names = files.List(process + "/fd");
  if (!names.ok()) return false;  // another user's
  for (const std::string& name : *names) {
    if (LinkTarget(absl::StrCat(process, "/fd/", name)) == target) return true;
  }
  return false;
}

}  // namespace

// The table prints addresses as the kernel holds them and ports in hex; an address of any form ends
// with ":" and the port.
std::string ListenerInode(absl::string_view table, int port) {
  const std::string local_end = absl::StrCat(":", absl::Hex(port, absl::kZeroPad4));
  for (const absl::string_view line : absl::StrSplit(table, '\n')) {
    //  0      1              2              3   4      5      6        7    8        9
    //  sl:    local_address  rem_address    st  queues timer  retrnsmt uid  timeout  inode
    const std::vector<absl::string_view> columns =
        absl::StrSplit(line, ' ', absl::SkipWhitespace());
    if (columns.size() < 10 || columns[3] != kListening) continue;
    if (absl::EndsWithIgnoreCase(columns[1], local_end)) return std::string(columns[9]);
  }
  return "";
}

std::string PortHolder(int port) {
  const base::FileSystem& files = base::PosixFileSystem();
  // A listener on "::" stands in the second table only, though it also takes what comes by IPv4.
  std::string inode;
  for (const char* const table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    if (inode.empty()) inode = ListenerInode(files.ReadFile(table).value_or(""), port);
  }
  if (inode.empty()) return "";
  const std::string target = absl::StrCat("socket:[", inode, "]");
  for (const std::string& name : files.List("/proc").value_or(std::vector<std::string>())) {
    int pid = 0;
    const std::string process = absl::StrCat("/proc/", name);
    if (!absl::SimpleAtoi(name, &pid) || !HasDescriptor(files, process, target)) continue;
    const std::string program = files.ReadFile(process + "/comm").value_or("");
    return absl::StrCat("process ", pid, " (", absl::StripAsciiWhitespace(program), ")");
  }
  return "";
}

}  // namespace rm::coordinator
