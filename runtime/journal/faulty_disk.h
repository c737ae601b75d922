// A disk in memory below SQLite that loses power, runs full and fails when a test says so.
//
// Model of durability, as hard as POSIX and SQLite's own assumptions allow:
//   1. A write or truncation is volatile until the file's sync; a power cut then keeps any subset
//      of the volatile ones, and some of them may be torn (only a part of their bytes is there).
//   2. A name (a new file, a removal) is volatile until the folder is synced, which SQLite asks for
//      with the first sync of a new WAL or rollback journal, and with a removal that it wants
//      durable.
//   3. A write touches no byte outside its own range (SQLite's POWERSAFE_OVERWRITE).
//   4. A sync that fails has lost what it should have written; the next one says OK.
//
// Every call of SQLite to the disk (open, read, write, truncate, sync, size, remove) is numbered
// from 1, so that a test can stop the world at each of them in turn:
//
//   for (int64_t n = 1;; ++n) {
//     FaultyDisk disk;
//     disk.FailFrom(n, FaultyDisk::Fault::kPowerCut);
//     Run(disk.vfs());
//     if (disk.calls() < n) break;  // the program makes fewer calls: all were tried
//     disk.CutPower(n);
//     Verify(disk.vfs());
//   }
#ifndef RM_RUNTIME_JOURNAL_FAULTY_DISK_H_
#define RM_RUNTIME_JOURNAL_FAULTY_DISK_H_

#include <cstdint>
#include <memory>
#include <string>

namespace rm::journal {

// Not thread-safe: one thread uses it and the databases on it. There is one folder; a path is the
// name of a file. Locks are not modelled: one database at a time.
class FaultyDisk {
 public:
  enum class Fault {
    kPowerCut,  // this and every later call fails: the machine is gone until CutPower()
    kDiskFull,  // from this call on, a write that needs more room fails, and so does a new file
    kIoError,   // this one call fails with EIO, after doing a part of what it should
  };

  // Registers itself as a SQLite file layer.
  FaultyDisk();
  // REQUIRES: no database is open on it.
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // The name of the file layer: JournalOptions::vfs.
  [[nodiscard]] const std::string& vfs() const;

  // From call number `call` on (as calls() counts), `fault` happens; 0 switches faults off.
  void FailFrom(int64_t call, Fault fault);
  // Calls seen so far, failed ones included.
  [[nodiscard]] int64_t calls() const;

  // The machine is back after a power cut and without faults. Of what was volatile nothing survives
  // (seed 0), everything (kKeepAll), or a pseudo-random choice by seed. REQUIRES: as ~FaultyDisk.
  static constexpr uint64_t kKeepAll = ~uint64_t{0};
  void CutPower(uint64_t seed);

  // A file as it is now, "" when there is none; and the same replaced, durably.
  [[nodiscard]] std::string Read(const std::string& name) const;
  void Replace(const std::string& name, const std::string& bytes);

  struct State;  // for the file layer in faulty_disk.cc

 private:
  const std::unique_ptr<State> state_;
};

}  // namespace rm::journal

#endif  // RM_RUNTIME_JOURNAL_FAULTY_DISK_H_
