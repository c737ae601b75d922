// Three layers: the tree with its two states (memory_disk.h); State, which counts the calls,
// injects the faults and finds paths; and the public methods, which take the lock and name the
// call.
#include "base/memory_file_system.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/memory_disk.h"
#include "base/mutex.h"
#include "base/status.h"

namespace rm::base {

// The disk, the fault that is set, and the counters. Methods REQUIRE the mutex, which the entry
// points take.
struct MemoryFileSystem::State {
  class Writer;  // a file open for writing
  class Reader;  // a file open for reading

  Mutex mutex;
  int64_t operations ABSL_GUARDED_BY(mutex) = 0;
  DiskNodePtr root ABSL_GUARDED_BY(mutex) = MakeNode(/*is_folder=*/true);
  int64_t fault_from ABSL_GUARDED_BY(mutex) = 0;  // 0: no fault
  Fault fault ABSL_GUARDED_BY(mutex) = Fault::kCrash;
  std::optional<uint64_t> capacity ABSL_GUARDED_BY(mutex);
  // Power cuts survived. Files opened before the last one are dead.
  int64_t boots ABSL_GUARDED_BY(mutex) = 0;

  // Where a path leads: the folder and the name in it. The root has an empty name.
  struct Place {
    DiskNodePtr folder;
    std::string name;
    [[nodiscard]] DiskNodePtr node() const { return name.empty() ? folder : folder->Child(name); }
  };

  // An empty file or folder without a name.
  DiskNodePtr MakeNode(bool is_folder) const ABSL_SHARED_LOCKS_REQUIRED(mutex) {
    auto node = std::make_shared<DiskNode>();
    node->is_folder = is_folder;
    node->modified = Now();
    return node;
  }

  // A time of its own, so that tests are the same on every run: one second an operation, from 1970
  // on.
  absl::Time Now() const ABSL_SHARED_LOCKS_REQUIRED(mutex) {
    return absl::UnixEpoch() + absl::Seconds(operations);
  }

  // Whether the fault `which` hits the present operation.
  bool IsFaulty(Fault which) const ABSL_SHARED_LOCKS_REQUIRED(mutex) {
    if (fault_from == 0 || fault != which) return false;
    return which == Fault::kIoError ? operations == fault_from : operations >= fault_from;
  }

  // Counts a mutating call and fails it when the fault that is set says so.
  absl::Status Begin(absl::string_view what) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    ++operations;
    if (IsFaulty(Fault::kCrash)) {
      return absl::UnavailableError(absl::StrCat(what, ": the power is off"));
    }
    if (IsFaulty(Fault::kIoError)) return ErrnoStatus(EIO, what);
    return absl::OkStatus();
  }

  // How many of `wanted` more bytes the disk takes.
  uint64_t Room(uint64_t wanted) const ABSL_SHARED_LOCKS_REQUIRED(mutex) {
    if (!capacity.has_value()) return wanted;
    const uint64_t used = BytesBelow(*root);
    return std::min(wanted, *capacity > used ? *capacity - used : 0);
  }

  // Walks to the folder that `path` lies in. What the path leads to may be missing; what it leads
  // through may not.
  absl::StatusOr<Place> Locate(const std::string& path, absl::string_view what) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex) {
    const std::string absolute = AbsolutePath(path, "/");
    const std::vector<std::string> parts = absl::StrSplit(absolute, '/', absl::SkipEmpty());
    Place place{root, ""};
    for (const std::string& part : parts) {
      const DiskNodePtr next = place.node();
      if (next == nullptr) return ErrnoStatus(ENOENT, what);
      if (!next->is_folder) return ErrnoStatus(ENOTDIR, what);
      place = {next, part};
    }
    return place;
  }

  // The node at `path`; NotFound when there is none.
  absl::StatusOr<DiskNodePtr> Find(const std::string& path, absl::string_view what) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex) {
    RM_ASSIGN_OR_RETURN(const Place place, Locate(path, what));
    const DiskNodePtr node = place.node();
    if (node == nullptr) return ErrnoStatus(ENOENT, what);
    return node;
  }

  // The file at `path`; an error when it is a folder or missing.
  absl::StatusOr<DiskNodePtr> FindFile(const std::string& path, absl::string_view what) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex) {
    RM_ASSIGN_OR_RETURN(const DiskNodePtr node, Find(path, what));
    if (node->is_folder) return ErrnoStatus(EISDIR, what);
    return node;
  }

  // Gives a new node the name of `place`; needs space, as on a real disk.
  absl::StatusOr<DiskNodePtr> Make(const Place& place, bool is_folder, absl::string_view what)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (IsFaulty(Fault::kDiskFull)) return ErrnoStatus(ENOSPC, what);
    DiskNodePtr node = MakeNode(is_folder);
    place.folder->Change({{place.name, node}});
    return node;
  }

  // The file at `path`, made if missing, emptied if asked.
  absl::StatusOr<DiskNodePtr> OpenToWrite(const std::string& path, bool truncate)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const std::string what = absl::StrCat("open ", path);
    RM_RETURN_IF_ERROR(Begin(what));
    RM_ASSIGN_OR_RETURN(const Place place, Locate(path, what));
    const DiskNodePtr node = place.node();
    if (node == nullptr) return Make(place, /*is_folder=*/false, what);
    if (node->is_folder) return ErrnoStatus(EISDIR, what);
    if (truncate) node->Truncate();
    return node;
  }

  // Appends what fits. A call that fails leaves a part behind, as a real disk may.
  absl::Status Append(DiskNode& file, absl::string_view bytes, const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const std::string what = absl::StrCat("write ", path);
    absl::Status status = Begin(what);
    if (IsFaulty(Fault::kCrash)) return status;
    if (status.ok() && IsFaulty(Fault::kDiskFull)) status = ErrnoStatus(ENOSPC, what);
    const size_t room = static_cast<size_t>(Room(status.ok() ? bytes.size() : bytes.size() / 2));
    file.bytes.append(bytes.data(), room);
    file.modified = Now();
    if (status.ok() && room < bytes.size()) return ErrnoStatus(ENOSPC, what);
    return status;
  }

  // A Sync that fails loses the bytes that it should have made durable, and the next one answers
  // OK: so does Linux.
  absl::Status Sync(DiskNode& file, const std::string& path) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    absl::Status status = Begin(absl::StrCat("fsync ", path));
    if (status.ok()) file.Sync();
    if (IsFaulty(Fault::kIoError)) file.bytes.resize(file.synced);
    return status;
  }

  // One change inside one folder; between folders two, which a power cut may separate.
  absl::Status Rename(const Place& from, const Place& to, bool into_itself, absl::string_view what)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const DiskNodePtr source = from.node(), target = to.node();
    if (source == nullptr) return ErrnoStatus(ENOENT, what);
    if (source == target) return absl::OkStatus();
    if (target != nullptr && source->is_folder) return ErrnoStatus(EEXIST, what);
    if (target != nullptr && target->is_folder) return ErrnoStatus(EISDIR, what);
    if (into_itself) return ErrnoStatus(EINVAL, what);
    if (from.folder == to.folder) {
      from.folder->Change({{from.name, nullptr}, {to.name, source}});
    } else {
      from.folder->Change({{from.name, nullptr}});
      to.folder->Change({{to.name, source}});
    }
    return absl::OkStatus();
  }
};

namespace {

// What a file of an earlier boot answers to everything: its process died with the power.
absl::Status DeadFile(const std::string& path) {
  return absl::UnavailableError(absl::StrCat(path, ": the power was off since it was opened"));
}

}  // namespace

class MemoryFileSystem::State::Writer final : public WritableFile {
 public:
  Writer(State* state, DiskNodePtr node, int64_t boot, std::string path)
      : state_(state), node_(std::move(node)), boot_(boot), path_(std::move(path)) {}

  absl::Status Append(absl::string_view bytes) override {
    MutexLock lock(state_->mutex);
    RM_RETURN_IF_ERROR(Usable("append"));
    return state_->Append(*node_, bytes, path_);
  }

  absl::Status Sync() override {
    MutexLock lock(state_->mutex);
    RM_RETURN_IF_ERROR(Usable("sync"));
    return state_->Sync(*node_, path_);
  }

  absl::Status Close() override {
    MutexLock lock(state_->mutex);
    RM_RETURN_IF_ERROR(Usable("close"));
    node_ = nullptr;
    return absl::OkStatus();
  }

 private:
  // Whether the file is of this boot and not closed.
  absl::Status Usable(absl::string_view operation) const ABSL_SHARED_LOCKS_REQUIRED(state_->mutex) {
    if (state_->boots != boot_) return DeadFile(path_);
    if (node_ != nullptr) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(operation, " ", path_, ": the file is closed"));
  }

  State* const state_;
  DiskNodePtr node_;
  const int64_t boot_;
  const std::string path_;
};

class MemoryFileSystem::State::Reader final : public RandomAccessFile {
 public:
  Reader(State* state, DiskNodePtr node, int64_t boot, std::string path)
      : state_(state),
        node_(std::move(node)),
        size_(node_->bytes.size()),
        boot_(boot),
        path_(std::move(path)) {}

  absl::Status Read(uint64_t offset, uint64_t size, char* destination) const override {
    MutexLock lock(state_->mutex);
    if (state_->boots != boot_) return DeadFile(path_);
    const std::string& bytes = node_->bytes;
    if (offset > bytes.size() || size > bytes.size() - offset) {
      return absl::OutOfRangeError(absl::StrCat("read ", path_, ": ", size, " bytes at ", offset,
                                                " wanted, but nothing is left at ", bytes.size()));
    }
    if (size > 0) std::memcpy(destination, bytes.data() + offset, size);
    return absl::OkStatus();
  }

  uint64_t size() const override { return size_; }

 private:
  State* const state_;
  const DiskNodePtr node_;
  const uint64_t size_;
  const int64_t boot_;
  const std::string path_;
};

MemoryFileSystem::MemoryFileSystem() : state_(std::make_unique<State>()) {}
MemoryFileSystem::~MemoryFileSystem() = default;

void MemoryFileSystem::FailFrom(int64_t operation, Fault fault) {
  MutexLock lock(state_->mutex);
  state_->fault_from = operation;
  state_->fault = fault;
}

int64_t MemoryFileSystem::operations() const {
  MutexLock lock(state_->mutex);
  return state_->operations;
}

void MemoryFileSystem::Crash(uint64_t torn_seed) {
  MutexLock lock(state_->mutex);
  LosePower(*state_->root, torn_seed);
  state_->fault_from = 0;
  ++state_->boots;
}

void MemoryFileSystem::SetCapacity(uint64_t bytes) {
  MutexLock lock(state_->mutex);
  state_->capacity = bytes;
}

absl::Status MemoryFileSystem::FlipBit(const std::string& path, uint64_t offset) {
  MutexLock lock(state_->mutex);
  RM_ASSIGN_OR_RETURN(const DiskNodePtr file, state_->FindFile(path, absl::StrCat("open ", path)));
  if (offset >= file->bytes.size()) {
    return absl::OutOfRangeError(absl::StrCat(path, " has ", file->bytes.size(), " bytes"));
  }
  char& byte = file->bytes[offset];
  byte = static_cast<char>(byte ^ (1 << (offset % 8)));  // not always the same bit
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<WritableFile>> MemoryFileSystem::Create(const std::string& path) {
  MutexLock lock(state_->mutex);
  RM_ASSIGN_OR_RETURN(DiskNodePtr node, state_->OpenToWrite(path, /*truncate=*/true));
  return std::make_unique<State::Writer>(state_.get(), std::move(node), state_->boots, path);
}

absl::StatusOr<std::unique_ptr<WritableFile>> MemoryFileSystem::OpenForAppend(
    const std::string& path) {
  MutexLock lock(state_->mutex);
  RM_ASSIGN_OR_RETURN(DiskNodePtr node, state_->OpenToWrite(path, /*truncate=*/false));
  return std::make_unique<State::Writer>(state_.get(), std::move(node), state_->boots, path);
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> MemoryFileSystem::Open(
    const std::string& path) const {
  MutexLock lock(state_->mutex);
  RM_ASSIGN_OR_RETURN(DiskNodePtr node, state_->FindFile(path, absl::StrCat("open ", path)));
  return std::make_unique<State::Reader>(state_.get(), std::move(node), state_->boots, path);
}

absl::StatusOr<std::string> MemoryFileSystem::ReadFile(const std::string& path) const {
  MutexLock lock(state_->mutex);
  RM_ASSIGN_OR_RETURN(const DiskNodePtr node, state_->FindFile(path, absl::StrCat("open ", path)));
  return node->bytes;
}

absl::StatusOr<FileInfo> MemoryFileSystem::Stat(const std::string& path) const {
  MutexLock lock(state_->mutex);
  RM_ASSIGN_OR_RETURN(const DiskNodePtr node, state_->Find(path, absl::StrCat("stat ", path)));
  return FileInfo{node->is_folder, node->bytes.size(), node->modified};
}

absl::StatusOr<std::vector<std::string>> MemoryFileSystem::List(const std::string& path) const {
  const std::string what = absl::StrCat("list ", path);
  MutexLock lock(state_->mutex);
  RM_ASSIGN_OR_RETURN(const DiskNodePtr node, state_->Find(path, what));
  if (!node->is_folder) return ErrnoStatus(ENOTDIR, what);
  std::vector<std::string> names;
  for (const auto& [name, child] : node->names) names.push_back(name);
  return names;
}

absl::Status MemoryFileSystem::MakeFolders(const std::string& path) {
  const std::string what = absl::StrCat("mkdir ", path);
  MutexLock lock(state_->mutex);
  RM_RETURN_IF_ERROR(state_->Begin(what));
  DiskNodePtr folder = state_->root;
  const std::string absolute = AbsolutePath(path, "/");
  for (const absl::string_view part : absl::StrSplit(absolute, '/', absl::SkipEmpty())) {
    const std::string name(part);
    if (!folder->is_folder) return ErrnoStatus(ENOTDIR, what);
    DiskNodePtr next = folder->Child(name);
    if (next == nullptr) {
      RM_ASSIGN_OR_RETURN(next, state_->Make({folder, name}, /*is_folder=*/true, what));
    }
    folder = next;
  }
  return ErrnoStatus(folder->is_folder ? 0 : EEXIST, what);
}

absl::Status MemoryFileSystem::Rename(const std::string& from, const std::string& to) {
  const std::string what = absl::StrCat("rename ", from, " to ", to);
  MutexLock lock(state_->mutex);
  RM_RETURN_IF_ERROR(state_->Begin(what));
  RM_ASSIGN_OR_RETURN(const State::Place source, state_->Locate(from, what));
  RM_ASSIGN_OR_RETURN(const State::Place target, state_->Locate(to, what));
  const bool into_itself = absl::StartsWith(AbsolutePath(to, "/"), AbsolutePath(from, "/") + "/");
  if (source.name.empty()) return ErrnoStatus(EINVAL, what);  // the root stays where it is
  return state_->Rename(source, target, into_itself, what);
}

absl::Status MemoryFileSystem::RemoveFile(const std::string& path) {
  const std::string what = absl::StrCat("remove ", path);
  MutexLock lock(state_->mutex);
  RM_RETURN_IF_ERROR(state_->Begin(what));
  RM_RETURN_IF_ERROR(state_->FindFile(path, what).status());  // a folder is refused
  RM_ASSIGN_OR_RETURN(const State::Place place, state_->Locate(path, what));
  place.folder->Change({{place.name, nullptr}});
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::RemoveAll(const std::string& path) {
  const std::string what = absl::StrCat("remove ", path);
  MutexLock lock(state_->mutex);
  RM_RETURN_IF_ERROR(state_->Begin(what));
  const absl::StatusOr<DiskNodePtr> node = state_->Find(path, what);
  if (absl::IsNotFound(node.status())) return absl::OkStatus();
  RM_RETURN_IF_ERROR(node.status());
  // Name by name, as rm -r does: a power cut may find it half done.
  RemoveContents(**node);
  RM_ASSIGN_OR_RETURN(const State::Place place, state_->Locate(path, what));
  if (!place.name.empty()) place.folder->Change({{place.name, nullptr}});
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::SyncFolder(const std::string& path) {
  const std::string what = absl::StrCat("fsync ", path);
  MutexLock lock(state_->mutex);
  RM_RETURN_IF_ERROR(state_->Begin(what));
  RM_ASSIGN_OR_RETURN(const DiskNodePtr node, state_->Find(path, what));
  if (!node->is_folder) return ErrnoStatus(ENOTDIR, what);
  node->Sync();
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> MemoryFileSystem::FreeBytes(const std::string& path) const {
  constexpr uint64_t kUnlimited = uint64_t{1} << 40;
  MutexLock lock(state_->mutex);
  RM_RETURN_IF_ERROR(state_->Find(path, absl::StrCat("statvfs ", path)).status());
  return state_->IsFaulty(Fault::kDiskFull) ? 0 : state_->Room(kUnlimited);
}

}  // namespace rm::base
