// Three layers: a file with its two contents; State, which counts the calls and injects the faults;
// and the C functions that SQLite calls, each a line or two over State.
#include "runtime/journal/faulty_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <new>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace rm::journal {
namespace {

// One write (`bytes` at `offset`) or, with is_cut, a truncation to `offset`.
struct Change {
  size_t offset = 0;
  std::string bytes;
  bool is_cut = false;
};

void Apply(const Change& change, std::string* content) {
  if (change.is_cut) {
    content->resize(std::min(content->size(), change.offset));
    return;
  }
  content->resize(std::max(content->size(), change.offset + change.bytes.size()), '\0');
  content->replace(change.offset, change.bytes.size(), change.bytes);
}

// What a program sees, and what a power cut would leave.
struct File {
  std::string live;
  std::string durable;
  std::vector<Change> changes;    // from durable to live, in order
  bool syncs_folder = false;      // SQLite syncs the folder with the first sync of this file
  bool name_is_durable = false;   // the file is there after a power cut

  void Make(Change change) {
    Apply(change, &live);
    changes.push_back(std::move(change));
  }
  // Not "durable = live": what a failed sync has lost stays lost until it is written again.
  void Sync() {
    for (const Change& change : changes) Apply(change, &durable);
    changes.clear();
  }
  // Loses what is volatile, except what `random` chooses.
  void LosePower(uint64_t seed, std::mt19937_64& random) {
    for (Change& change : changes) {
      if (seed == 0 || (seed != FaultyDisk::kKeepAll && random() % 2 == 0)) continue;
      // Every eighth of those that survive is torn.
      if (seed != FaultyDisk::kKeepAll && random() % 8 == 0 && !change.bytes.empty()) {
        change.bytes.resize(random() % change.bytes.size());
      }
      Apply(change, &durable);
    }
    changes.clear();
    live = durable;
  }
};

}  // namespace

struct FaultyDisk::State {
  std::string name;
  sqlite3_vfs vfs{};
  std::map<std::string, std::shared_ptr<File>> files;
  std::vector<std::pair<std::string, std::shared_ptr<File>>> removed;  // not yet durably
  int64_t calls = 0;
  int64_t fault_from = 0;  // 0: none
  Fault fault = Fault::kPowerCut;
  int open_files = 0;
  int last_errno = 0;

  // Counts a call; SQLITE_OK, or `error` when the fault that is set hits it whatever it does.
  int Begin(int error) {
    ++calls;
    const bool is_hit = fault_from != 0 && (fault == Fault::kIoError     ? calls == fault_from
                                            : fault == Fault::kPowerCut ? calls >= fault_from
                                                                        : false);
    if (!is_hit) return SQLITE_OK;
    last_errno = EIO;
    return error;
  }
  // As Begin, for a call that needs `more` bytes of room.
  int BeginGrowth(size_t more, int error) {
    const int result = Begin(error);
    if (result != SQLITE_OK || more == 0) return result;
    if (fault_from == 0 || fault != Fault::kDiskFull || calls < fault_from) return SQLITE_OK;
    last_errno = ENOSPC;
    return SQLITE_FULL;
  }

  void SyncFolder() {
    removed.clear();
    for (auto& [path, file] : files) file->name_is_durable = true;
  }

  void LosePower(uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto survives = [&] { return seed == kKeepAll || (seed != 0 && random() % 2 == 0); };
    // A removal that was not durable may be undone, unless the name was used again.
    for (auto& [path, file] : removed) {
      if (!file->name_is_durable || files.count(path) > 0 || survives()) continue;
      files.emplace(path, file);
    }
    removed.clear();
    for (auto entry = files.begin(); entry != files.end();) {
      File& file = *entry->second;
      file.LosePower(seed, random);
      const bool is_there = file.name_is_durable || survives();
      file.name_is_durable = true;
      entry = is_there ? std::next(entry) : files.erase(entry);
    }
  }
};

namespace {

using State = FaultyDisk::State;

// An open file as SQLite holds it: its own head, then ours.
struct Handle {
  sqlite3_file head;
  State* state;
  std::shared_ptr<File> file;
};

Handle& Of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
State& Of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

// ---- a file -------------------------------------------------------------------------------------

int Close(sqlite3_file* file) {
  --Of(file).state->open_files;
  Of(file).~Handle();
  return SQLITE_OK;
}

int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  const int result = Of(file).state->Begin(SQLITE_IOERR_READ);
  if (result != SQLITE_OK) return result;
  const std::string& live = Of(file).file->live;
  const size_t begin = std::min(static_cast<size_t>(offset), live.size());
  const size_t got = std::min(static_cast<size_t>(size), live.size() - begin);
  std::memcpy(to, live.data() + begin, got);
  // SQLite wants zeros where the file ends too early.
  std::memset(static_cast<char*>(to) + got, 0, static_cast<size_t>(size) - got);
  return got == static_cast<size_t>(size) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  File& to = *Of(file).file;
  Change change{static_cast<size_t>(offset), {}, false};
  change.bytes.assign(static_cast<const char*>(from), static_cast<size_t>(size));
  const size_t end = change.offset + change.bytes.size();
  const size_t more = end > to.live.size() ? end - to.live.size() : 0;
  const int result = Of(file).state->BeginGrowth(more, SQLITE_IOERR_WRITE);
  // What failed may have done a part of its work.
  if (result != SQLITE_OK) change.bytes.resize(change.bytes.size() / 2);
  to.Make(std::move(change));
  return result;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  const int result = Of(file).state->Begin(SQLITE_IOERR_TRUNCATE);
  if (result == SQLITE_OK) Of(file).file->Make({static_cast<size_t>(size), {}, true});
  return result;
}

int Sync(sqlite3_file* file, int /*flags*/) {
  const int result = Of(file).state->Begin(SQLITE_IOERR_FSYNC);
  if (result != SQLITE_OK) {
    Of(file).file->changes.clear();  // rule 4: they will never be written
    return result;
  }
  Of(file).file->Sync();
  if (Of(file).file->syncs_folder) Of(file).state->SyncFolder();
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(Of(file).file->live.size());
  return Of(file).state->Begin(SQLITE_IOERR_FSTAT);
}

int Lock(sqlite3_file*, int) { return SQLITE_OK; }
int CheckReservedLock(sqlite3_file*, int* is_reserved) {
  *is_reserved = 0;
  return SQLITE_OK;
}
int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return 4096; }
int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

const sqlite3_io_methods* Methods() {
  static const sqlite3_io_methods methods = [] {
    sqlite3_io_methods m{};
    m.iVersion = 1;  // no shared memory: exclusive locking needs none
    m.xClose = &Close;
    m.xRead = &Read;
    m.xWrite = &Write;
    m.xTruncate = &Truncate;
    m.xSync = &Sync;
    m.xFileSize = &FileSize;
    m.xLock = &Lock;
    m.xUnlock = &Lock;
    m.xCheckReservedLock = &CheckReservedLock;
    m.xFileControl = &FileControl;
    m.xSectorSize = &SectorSize;
    m.xDeviceCharacteristics = &DeviceCharacteristics;
    return m;
  }();
  return &methods;
}

// ---- the disk -----------------------------------------------------------------------------------

int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  State& state = Of(vfs);
  file->pMethods = nullptr;
  RM_CHECK(path != nullptr, "temporary files are not expected");
  const bool is_there = state.files.count(path) > 0;
  const int result = state.BeginGrowth(is_there ? 0 : 1, SQLITE_CANTOPEN);
  if (result != SQLITE_OK) return result;
  if (!is_there && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
  std::shared_ptr<File>& entry = state.files[path];
  if (entry == nullptr) {
    entry = std::make_shared<File>();
    entry->syncs_folder = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  }
  new (file) Handle{{Methods()}, &state, entry};
  ++state.open_files;
  if (flags_out != nullptr) *flags_out = flags;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  State& state = Of(vfs);
  const int result = state.Begin(SQLITE_IOERR_DELETE);
  if (result != SQLITE_OK) return result;
  const auto entry = state.files.find(path);
  if (entry == state.files.end()) return SQLITE_IOERR_DELETE_NOENT;
  state.removed.emplace_back(entry->first, entry->second);
  state.files.erase(entry);
  if (sync_folder != 0) state.SyncFolder();
  return SQLITE_OK;
}

int Access(sqlite3_vfs* vfs, const char* path, int /*what*/, int* answer) {
  *answer = Of(vfs).files.count(path) > 0 ? 1 : 0;
  return SQLITE_OK;
}

int FullPathname(sqlite3_vfs* /*vfs*/, const char* path, int size, char* full) {
  sqlite3_snprintf(size, full, "%s", path);
  return SQLITE_OK;
}

// The same bits in every run, so that call number n is the same call.
int Randomness(sqlite3_vfs* vfs, int size, char* bytes) {
  for (int i = 0; i < size; ++i) bytes[i] = static_cast<char>(Of(vfs).calls * 31 + i * 7);
  return size;
}
int Sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
int CurrentTime(sqlite3_vfs*, double* julian_day) {
  *julian_day = 2460000.5;
  return SQLITE_OK;
}
int GetLastError(sqlite3_vfs* vfs, int, char*) { return Of(vfs).last_errno; }

}  // namespace

FaultyDisk::FaultyDisk() : state_(std::make_unique<State>()) {
  static int made = 0;
  state_->name = absl::StrCat("faulty-disk-", ++made);
  sqlite3_vfs& vfs = state_->vfs;
  vfs.iVersion = 1;
  vfs.szOsFile = static_cast<int>(sizeof(Handle));
  vfs.mxPathname = 512;
  vfs.zName = state_->name.c_str();
  vfs.pAppData = state_.get();
  vfs.xOpen = &Open;
  vfs.xDelete = &Delete;
  vfs.xAccess = &Access;
  vfs.xFullPathname = &FullPathname;
  vfs.xRandomness = &Randomness;
  vfs.xSleep = &Sleep;
  vfs.xCurrentTime = &CurrentTime;
  vfs.xGetLastError = &GetLastError;
  RM_CHECK(sqlite3_vfs_register(&vfs, /*makeDflt=*/0) == SQLITE_OK);
}

FaultyDisk::~FaultyDisk() {
  RM_CHECK(state_->open_files == 0, "a database is still open");
  sqlite3_vfs_unregister(&state_->vfs);
}

const std::string& FaultyDisk::vfs() const { return state_->name; }

void FaultyDisk::FailFrom(int64_t call, Fault fault) {
  state_->fault_from = call;
  state_->fault = fault;
}

int64_t FaultyDisk::calls() const { return state_->calls; }

void FaultyDisk::CutPower(uint64_t seed) {
  RM_CHECK(state_->open_files == 0, "a database is still open");
  state_->fault_from = 0;
  state_->LosePower(seed);
}

std::string FaultyDisk::Read(const std::string& name) const {
  const auto entry = state_->files.find(name);
  return entry == state_->files.end() ? "" : entry->second->live;
}

void FaultyDisk::Replace(const std::string& name, const std::string& bytes) {
  auto file = std::make_shared<File>();
  file->live = bytes;
  file->durable = bytes;
  file->name_is_durable = true;
  state_->files[name] = file;
}

}  // namespace rm::journal
