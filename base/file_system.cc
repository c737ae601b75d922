// What is the same on every file system; posix_file_system.cc and memory_file_system.cc are the
// two.
#include "base/file_system.h"

#include <atomic>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace rm::base {
namespace {

// A name beside `path` that no other write uses, in this process, in another, or on another machine
// that shares the storage (process ids repeat between machines and containers, so a random number
// stands for the process).
std::string TemporaryPath(const std::string& path) {
  static const uint32_t process = std::random_device()();
  static std::atomic<uint32_t> next{0};
  return JoinPath(ParentPath(path),
                  absl::StrFormat(".%s.tmp-%08x-%d", BaseName(path), process, next.fetch_add(1)));
}

// Durable content under a name that is not durable yet.
absl::Status WriteAndSync(FileSystem& files, const std::string& path, absl::string_view bytes) {
  RM_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files.Create(path));
  RM_RETURN_IF_ERROR(file->Append(bytes));
  RM_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

// The path without the slashes at its end; "/" and "///" become "".
absl::string_view WithoutTrailingSlashes(absl::string_view path) {
  while (absl::EndsWith(path, "/")) path.remove_suffix(1);
  return path;
}

}  // namespace

// The order is all: the content must be durable before the name leads to it, and the name before we
// say OK. Left out, each of the two syncs loses the file on some disk.
absl::Status WriteFileAtomically(FileSystem& files, const std::string& path,
                                 absl::string_view bytes) {
  const std::string temporary = TemporaryPath(path);
  absl::Status status = WriteAndSync(files, temporary, bytes);
  if (status.ok()) status = files.Rename(temporary, path);
  if (!status.ok()) {
    files.RemoveFile(temporary).IgnoreError();  // best effort: the first error is the one to tell
    return status;
  }
  return files.SyncFolder(ParentPath(path));
}

std::string JoinPath(absl::string_view folder, absl::string_view name) {
  if (folder.empty() || absl::StartsWith(name, "/")) return std::string(name);
  if (name.empty()) return std::string(folder);
  return absl::StrCat(folder, absl::EndsWith(folder, "/") ? "" : "/", name);
}

std::string ParentPath(absl::string_view path) {
  const bool absolute = absl::StartsWith(path, "/");
  path = WithoutTrailingSlashes(path);
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return absolute ? "/" : ".";
  const absl::string_view parent = WithoutTrailingSlashes(path.substr(0, slash));
  return parent.empty() ? "/" : std::string(parent);
}

std::string BaseName(absl::string_view path) {
  path = WithoutTrailingSlashes(path);
  const size_t slash = path.rfind('/');
  return std::string(slash == absl::string_view::npos ? path : path.substr(slash + 1));
}

// Lexical: "a/.." is dropped even where a is a symbolic link. Above the root is the root.
std::string AbsolutePath(absl::string_view path, absl::string_view base) {
  const std::string joined = JoinPath(base, path);
  std::vector<absl::string_view> parts;
  for (const absl::string_view part : absl::StrSplit(joined, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return absl::StrCat("/", absl::StrJoin(parts, "/"));
}

}  // namespace rm::base
