// The machine's file system: plain POSIX calls, each error with the call and the path in its
// message.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/status.h"

namespace rm::base {
namespace {

constexpr mode_t kFileMode = 0644;  // less the process's umask
constexpr mode_t kFolderMode = 0755;

// Repeats a system call that a signal has interrupted.
template <typename Call>
auto Retry(const Call& call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

// The errno of the call that has just failed, as "operation path: reason".
absl::Status LastError(absl::string_view operation, const std::string& path) {
  return ErrnoStatus(errno, absl::StrCat(operation, " ", path));
}

// An open file descriptor, closed at the end of its life.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  // Gives the descriptor away: what is left is -1, which is closed by nobody.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Every descriptor is close-on-exec: rank processes must not inherit the daemons' files.
absl::StatusOr<Descriptor> OpenDescriptor(const std::string& path, int flags) {
  Descriptor file(Retry([&] { return open(path.c_str(), flags | O_CLOEXEC, kFileMode); }));
  if (file.get() < 0) return LastError("open", path);
  return file;
}

// Of the open file, not of whatever the path leads to by now.
absl::StatusOr<struct stat> StatDescriptor(int fd, const std::string& path) {
  struct stat info;
  if (fstat(fd, &info) != 0) return LastError("stat", path);
  return info;
}

// Once an Append or a Sync has failed, every later call returns that same error: after a failed
// fsync the kernel may have dropped the pages and would answer a second one with success.
class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(Descriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  // write(2) may take a part only (near the end of a disk, or by a signal): go on with the rest.
  absl::Status Append(absl::string_view bytes) override {
    RM_RETURN_IF_ERROR(Usable("append"));
    while (!bytes.empty()) {
      const ssize_t written = Retry([&] { return write(file_.get(), bytes.data(), bytes.size()); });
      if (written < 0) return failed_ = LastError("write", path_);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    RM_RETURN_IF_ERROR(Usable("sync"));
    if (Retry([&] { return fsync(file_.get()); }) != 0) failed_ = LastError("fsync", path_);
    return failed_;
  }

  absl::Status Close() override {
    if (file_.get() < 0) return Usable("close");
    // The descriptor is gone whatever close() says; an interrupted close is not repeated.
    if (close(file_.Release()) != 0 && failed_.ok()) failed_ = LastError("close", path_);
    return failed_;
  }

 private:
  // The first failure, else whether the file is closed, else OK.
  absl::Status Usable(absl::string_view operation) const {
    if (!failed_.ok() || file_.get() >= 0) return failed_;
    return absl::FailedPreconditionError(
        absl::StrCat(operation, " ", path_, ": the file is closed"));
  }

  Descriptor file_;
  const std::string path_;
  absl::Status failed_;
};

// A file open for reading.
class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(Descriptor file, uint64_t size, std::string path)
      : file_(std::move(file)), size_(size), path_(std::move(path)) {}

  // pread(2) keeps no position, which is what makes this thread-safe.
  absl::Status Read(uint64_t offset, uint64_t size, char* destination) const override {
    uint64_t done = 0;
    while (done < size) {
      const ssize_t got = Retry([&] {
        return pread(file_.get(), destination + done, size - done,
                     static_cast<off_t>(offset + done));
      });
      if (got < 0) return LastError("read", path_);
      if (got == 0) return EndsTooSoon(offset, size, offset + done);
      done += static_cast<uint64_t>(got);
    }
    return absl::OkStatus();
  }

  uint64_t size() const override { return size_; }

 private:
  absl::Status EndsTooSoon(uint64_t offset, uint64_t size, uint64_t end) const {
    return absl::OutOfRangeError(absl::StrCat("read ", path_, ": ", size, " bytes at ", offset,
                                              " wanted, but nothing is left at ", end));
  }

  const Descriptor file_;
  const uint64_t size_;
  const std::string path_;
};

// Stateless: all state is the kernel's.
class PosixFiles final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    return OpenToWrite(path, O_TRUNC);
  }

  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override {
    return OpenToWrite(path, O_APPEND);
  }

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(const std::string& path) const override {
    RM_ASSIGN_OR_RETURN(Descriptor file, OpenDescriptor(path, O_RDONLY));
    RM_ASSIGN_OR_RETURN(const struct stat info, StatDescriptor(file.get(), path));
    if (S_ISDIR(info.st_mode)) return ErrnoStatus(EISDIR, absl::StrCat("open ", path));
    return std::make_unique<PosixRandomAccessFile>(std::move(file),
                                                   static_cast<uint64_t>(info.st_size), path);
  }

  // Reads to the end and not to the size that stat tells: files under /proc have size 0.
  absl::StatusOr<std::string> ReadFile(const std::string& path) const override {
    RM_ASSIGN_OR_RETURN(const Descriptor file, OpenDescriptor(path, O_RDONLY));
    RM_ASSIGN_OR_RETURN(const struct stat info, StatDescriptor(file.get(), path));
    std::string content;
    size_t used = 0;
    size_t room = static_cast<size_t>(info.st_size) + 1;  // one more, to see the end in one read
    while (true) {
      content.resize(used + room);
      const ssize_t got = Retry([&] { return read(file.get(), &content[used], room); });
      if (got < 0) return LastError("read", path);
      used += static_cast<size_t>(got);
      if (got == 0) break;
      room = std::max<size_t>(4096, used / 2);
    }
    content.resize(used);
    return content;
  }

  absl::StatusOr<FileInfo> Stat(const std::string& path) const override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return LastError("stat", path);
    FileInfo result;
    result.is_folder = S_ISDIR(info.st_mode);
    result.bytes = result.is_folder ? 0 : static_cast<uint64_t>(info.st_size);
    result.modified = absl::TimeFromTimespec(info.st_mtim);
    return result;
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const override {
    DIR* const folder = opendir(path.c_str());
    if (folder == nullptr) return LastError("list", path);
    const auto closer = absl::MakeCleanup([folder] { closedir(folder); });
    std::vector<std::string> names;
    errno = 0;  // readdir tells the end from an error by it alone
    while (const dirent* entry = readdir(folder)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
      errno = 0;
    }
    if (errno != 0) return LastError("list", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  // From the innermost outwards: mostly the parents are there already.
  absl::Status MakeFolders(const std::string& path) override {
    if (mkdir(path.c_str(), kFolderMode) == 0) return absl::OkStatus();
    if (errno == ENOENT && ParentPath(path) != path) {
      RM_RETURN_IF_ERROR(MakeFolders(ParentPath(path)));
      // Another process may have been quicker: EEXIST is looked at below.
      if (mkdir(path.c_str(), kFolderMode) == 0) return absl::OkStatus();
    }
    const absl::Status status = LastError("mkdir", path);
    const absl::StatusOr<FileInfo> info = Stat(path);
    return info.ok() && info->is_folder ? absl::OkStatus() : status;
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    // rename(2) would let a folder replace an empty one; the contract wants a free name.
    const std::string what = absl::StrCat("rename ", from, " to ", to);
    const absl::StatusOr<FileInfo> source = Stat(from);
    if (source.ok() && source->is_folder && from != to && Exists(to)) {
      return ErrnoStatus(EEXIST, what);
    }
    return ErrnoStatus(rename(from.c_str(), to.c_str()) == 0 ? 0 : errno, what);
  }

  absl::Status RemoveFile(const std::string& path) override {
    if (unlink(path.c_str()) != 0) return LastError("remove", path);
    return absl::OkStatus();
  }

  absl::Status RemoveAll(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    const absl::Status status = ErrnoStatus(error.value(), absl::StrCat("remove ", path));
    return absl::IsNotFound(status) ? absl::OkStatus() : status;
  }

  // A folder is a file whose bytes are names; fsync works on it the same.
  absl::Status SyncFolder(const std::string& path) override {
    RM_ASSIGN_OR_RETURN(const Descriptor folder, OpenDescriptor(path, O_RDONLY | O_DIRECTORY));
    if (Retry([&] { return fsync(folder.get()); }) != 0) return LastError("fsync", path);
    return absl::OkStatus();
  }

  // f_bavail, not f_bfree: what is kept for root is not for us.
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) const override {
    struct statvfs info;
    if (Retry([&] { return statvfs(path.c_str(), &info); }) != 0) return LastError("statvfs", path);
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  }

 private:
  static absl::StatusOr<std::unique_ptr<WritableFile>> OpenToWrite(const std::string& path,
                                                                   int flags) {
    RM_ASSIGN_OR_RETURN(Descriptor file, OpenDescriptor(path, O_WRONLY | O_CREAT | flags));
    return std::make_unique<PosixWritableFile>(std::move(file), path);
  }
};

}  // namespace

FileSystem& PosixFileSystem() {
  static PosixFiles& files = *new PosixFiles();
  return files;
}

}  // namespace rm::base
