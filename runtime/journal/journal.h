// The coordinator's memory: every record of the scheduler, in order, durable before anything of it
// is acted on.
//
// On disk a journal is one SQLite database (WAL, synchronous=FULL, exclusive locking) at `path`:
//
//   journal    = application_id 0x524D4A31 ("RMJ1"), user_version 1, table record
//   record     = (sequence INTEGER PRIMARY KEY, crc32c INTEGER, body BLOB)
//   sequence   = 1, 2, 3 … without a gap (the first may be greater: old ones were dropped)
//   body       = JournalRecord of proto/scheduler.proto, serialised
//   crc32c     = CRC-32C of (sequence as 8 bytes little-endian, body)
//
//   example: sequence 7 and the body 08 e8 07 18 (four bytes):
//            crc32c covers 07 00 00 00 00 00 00 00 08 e8 07 18
//
// Beside it lie `path`-wal (SQLite's) and `path`.holder (process id and host of the process that
// has it open, for the error message that the next one prints; the lock itself is SQLite's and ends
// with the process).
//
// Invariants:
// 1. What Append has returned OK for is read back by every later Replay, whatever happens to
//    process or power, until Replace puts other records in its place.
// 2. The records of one Append are all there or none. Of a Replace, either all that it puts are
//    there, or all that were there before.
// 3. At most one Journal is open on a path, over all processes of the machine.
// 4. A record whose bytes changed on disk is never handed out: Replay ends with DataLoss that
//    names it.
#ifndef RM_RUNTIME_JOURNAL_JOURNAL_H_
#define RM_RUNTIME_JOURNAL_JOURNAL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/file_system.h"
#include "proto/scheduler.pb.h"
#include "runtime/journal/sqlite.h"

namespace rm::journal {

struct JournalOptions {
  // The SQLite file layer (sqlite3_vfs) by name; empty: the machine's files. Tests register one
  // that injects faults.
  std::string vfs;
  // The write-ahead log is moved into the database, and begun anew, when it has this many pages of
  // 4 KiB (SQLite's default).
  int wal_pages = 1000;
  // Where the holder's file is written. Outlives the journal.
  base::FileSystem* files = &base::PosixFileSystem();
};

// Not thread-safe: one thread owns it. Group commit is its owner's doing: all that happened while
// one Append ran goes into the next one.
class Journal {
 public:
  // Opens or creates. The folder of `path` must exist. Errors name the path and what to do:
  //   FailedPrecondition  another process has it open (its process id and host, where known)
  //   DataLoss            damaged, or not a journal
  //   PermissionDenied, ResourceExhausted, Unavailable  as the disk says
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Journal>> Open(
      const std::string& path, const JournalOptions& options = {});

  // Releases the lock.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Calls `visit` for every record, oldest first; ends with the first error of `visit`, or with
  // DataLoss at a damaged record (those before it have been visited).
  using Visit = absl::FunctionRef<absl::Status(int64_t sequence,
                                               const ::ringmaster::v1::JournalRecord& record)>;
  [[nodiscard]] absl::Status Replay(Visit visit);

  // Adds the records as one transaction: OK means durable (one sync of the disk). After an error
  // the journal holds either all of them or none; nothing more can be appended then: its owner must
  // end, and start again by Replay.
  [[nodiscard]] absl::Status Append(absl::Span<const ::ringmaster::v1::JournalRecord> records);

  // Puts these records in the place of all that are there, as one transaction, with numbers that
  // go on where those end. Errors: as Append. For compaction: the records must mean the same to
  // their reader.
  [[nodiscard]] absl::Status Replace(absl::Span<const ::ringmaster::v1::JournalRecord> records);

  // Sequence number of the newest record; 0 when there is none.
  [[nodiscard]] int64_t last_sequence() const { return last_sequence_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Journal(std::string path, const JournalOptions& options, std::unique_ptr<Database> database);

  // Takes the lock, creates what is missing, and refuses what is not a journal of this version.
  [[nodiscard]] absl::Status Prepare();
  [[nodiscard]] absl::Status CreateTable();
  // One transaction: drops all records if `drops` says so, then adds these.
  [[nodiscard]] absl::Status Write(absl::Span<const ::ringmaster::v1::JournalRecord> records,
                                   bool drops);
  // Puts path, meaning and remedy around an error of SQLite.
  [[nodiscard]] absl::Status Explain(const absl::Status& status) const;
  [[nodiscard]] std::string HolderPath() const;

  const std::string path_;
  const JournalOptions options_;
  const std::unique_ptr<Database> database_;
  absl::Status failed_;
  int64_t last_sequence_ = 0;
  bool holds_lock_ = false;
};

}  // namespace rm::journal

#endif  // RM_RUNTIME_JOURNAL_JOURNAL_H_
