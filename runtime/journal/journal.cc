// SQLite gives atomic transactions, recovery after a crash and a lock; this file adds what it does
// not have: a checksum over each record (SQLite trusts its pages), numbers without a gap, and error
// messages that say what to do.
#include "runtime/journal/journal.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/crc32c.h"
#include "base/status.h"

namespace rm::journal {
namespace {

namespace pb = ::ringmaster::v1;

constexpr int64_t kApplicationId = 0x524D4A31;  // "RMJ1"
constexpr int64_t kVersion = 1;

// The sequence number is part of it, so that records cannot change places unnoticed.
uint32_t Checksum(int64_t sequence, absl::string_view body) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>((sequence >> (8 * i)) & 0xff);
  return base::Crc32cExtend(base::Crc32c(bytes, sizeof(bytes)), body.data(), body.size());
}

std::string HostName() {
  char name[256] = "";
  if (gethostname(name, sizeof(name) - 1) != 0) return "unknown host";
  return name;
}

absl::Status Damaged(int64_t sequence, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("record ", sequence, ": ", what));
}

// One row of the table, checked.
absl::StatusOr<pb::JournalRecord> ReadRecord(const Statement& row, int64_t expected) {
  const int64_t sequence = row.Integer(0);
  // 0: the first record, which may have any number.
  if (expected != 0 && sequence != expected) return Damaged(expected, "missing");
  const absl::string_view body = row.Blob(2);
  if (row.Integer(1) != static_cast<int64_t>(Checksum(sequence, body))) {
    return Damaged(sequence, "its checksum does not match its bytes");
  }
  pb::JournalRecord record;
  if (!record.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return Damaged(sequence, "not a journal record");
  }
  return record;
}

}  // namespace

Journal::Journal(std::string path, const JournalOptions& options,
                 std::unique_ptr<Database> database)
    : path_(std::move(path)), options_(options), database_(std::move(database)) {}

Journal::~Journal() {
  if (holds_lock_) options_.files->RemoveFile(HolderPath()).IgnoreError();
}

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const std::string& path,
                                                       const JournalOptions& options) {
  auto database = Database::Open(path, options.vfs);
  if (!database.ok()) return base::Annotate(database.status(), absl::StrCat("journal ", path));
  auto journal = absl::WrapUnique(new Journal(path, options, *std::move(database)));
  RM_RETURN_IF_ERROR(journal->Explain(journal->Prepare()));
  return journal;
}

absl::Status Journal::Prepare() {
  // Reads the header of the file, which takes the lock.
  RM_ASSIGN_OR_RETURN(const int64_t application_id,
                      database_->QueryInteger("PRAGMA application_id"));
  RM_ASSIGN_OR_RETURN(const int64_t tables,
                      database_->QueryInteger("SELECT count(*) FROM sqlite_master"));
  if (application_id != kApplicationId && (application_id != 0 || tables != 0)) {
    return absl::DataLossError("this database is of another program");
  }
  // WAL: an append is one sequential write and one sync. FULL: that sync happens at every commit.
  RM_RETURN_IF_ERROR(database_->Execute("PRAGMA journal_mode=WAL"));
  RM_RETURN_IF_ERROR(database_->Execute("PRAGMA synchronous=FULL"));
  RM_RETURN_IF_ERROR(
      database_->Execute(absl::StrCat("PRAGMA wal_autocheckpoint=", options_.wal_pages)));
  // A Replace makes the log as large as all that it writes; it need not stay so.
  RM_RETURN_IF_ERROR(database_->Execute("PRAGMA journal_size_limit=16777216"));
  // The lock is only shared so far; an empty write transaction makes it exclusive for good.
  RM_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  RM_RETURN_IF_ERROR(database_->Execute("COMMIT"));
  holds_lock_ = true;
  if (tables == 0) RM_RETURN_IF_ERROR(CreateTable());
  RM_ASSIGN_OR_RETURN(const int64_t version, database_->QueryInteger("PRAGMA user_version"));
  if (version != kVersion) {
    return absl::DataLossError(
        absl::StrCat("it has format ", version, " and this program reads format ", kVersion));
  }
  RM_ASSIGN_OR_RETURN(last_sequence_, database_->QueryInteger("SELECT max(sequence) FROM record"));
  return base::WriteFileAtomically(*options_.files, HolderPath(),
                                   absl::StrCat(getpid(), " ", HostName(), "\n"));
}

absl::Status Journal::CreateTable() {
  // One transaction, both marks included: after a crash the file is a journal or still empty.
  RM_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  RM_RETURN_IF_ERROR(
      database_->Execute("CREATE TABLE record (sequence INTEGER PRIMARY KEY, "
                         "crc32c INTEGER NOT NULL, body BLOB NOT NULL)"));
  RM_RETURN_IF_ERROR(database_->Execute(absl::StrCat("PRAGMA application_id=", kApplicationId)));
  RM_RETURN_IF_ERROR(database_->Execute(absl::StrCat("PRAGMA user_version=", kVersion)));
  return database_->Execute("COMMIT");
}

absl::Status Journal::Replay(Visit visit) {
  auto rows = database_->Prepare("SELECT sequence, crc32c, body FROM record ORDER BY sequence");
  if (!rows.ok()) return Explain(rows.status());
  int64_t expected = 0;
  while (true) {
    const absl::StatusOr<bool> row = rows->Step();
    if (!row.ok()) return Explain(row.status());
    if (!*row) return absl::OkStatus();
    const absl::StatusOr<pb::JournalRecord> record = ReadRecord(*rows, expected);
    if (!record.ok()) return Explain(record.status());
    // The visitor's errors are its own: they are passed on as they are.
    const int64_t sequence = rows->Integer(0);
    RM_RETURN_IF_ERROR(visit(sequence, *record));
    expected = sequence + 1;
  }
}

absl::Status Journal::Append(absl::Span<const pb::JournalRecord> records) {
  RM_RETURN_IF_ERROR(failed_);
  if (records.empty()) return absl::OkStatus();
  // A failed sync is never tried again on the same file: the kernel may have dropped the pages and
  // would answer the second one with success. So one failure is the last word of this object.
  const absl::Status written = Write(records, /*drops=*/false);
  if (!written.ok()) return failed_ = Explain(written);
  last_sequence_ += static_cast<int64_t>(records.size());
  return absl::OkStatus();
}

absl::Status Journal::Replace(absl::Span<const pb::JournalRecord> records) {
  RM_RETURN_IF_ERROR(failed_);
  const absl::Status written = Write(records, /*drops=*/true);
  if (!written.ok()) return failed_ = Explain(written);
  last_sequence_ += static_cast<int64_t>(records.size());
  return absl::OkStatus();
}

absl::Status Journal::Write(absl::Span<const pb::JournalRecord> records, bool drops) {
  RM_ASSIGN_OR_RETURN(Statement insert,
                      database_->Prepare("INSERT INTO record VALUES (?1, ?2, ?3)"));
  RM_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  if (drops) RM_RETURN_IF_ERROR(database_->Execute("DELETE FROM record"));
  int64_t sequence = last_sequence_;
  std::string body;
  for (const pb::JournalRecord& record : records) {
    ++sequence;
    body.clear();
    if (!record.AppendToString(&body)) return absl::ResourceExhaustedError("record over 2 GiB");
    insert.Reset();
    RM_RETURN_IF_ERROR(insert.Bind(1, sequence));
    RM_RETURN_IF_ERROR(insert.Bind(2, static_cast<int64_t>(Checksum(sequence, body))));
    RM_RETURN_IF_ERROR(insert.BindBlob(3, body));
    RM_RETURN_IF_ERROR(insert.Step().status());
  }
  return database_->Execute("COMMIT");
}

absl::Status Journal::Explain(const absl::Status& status) const {
  if (status.ok()) return status;
  // The two errors that a person meets, with the way out; the others as the disk said them.
  std::string text = absl::StrCat("journal ", path_);
  if (absl::IsFailedPrecondition(status)) {
    absl::StrAppend(&text, " is in use by another coordinator");
    const absl::StatusOr<std::string> holder = options_.files->ReadFile(HolderPath());
    const std::pair<std::string, std::string> who =
        absl::StrSplit(absl::StripAsciiWhitespace(holder.value_or("")), absl::MaxSplits(' ', 1));
    if (!who.second.empty())
      absl::StrAppend(&text, " (process ", who.first, " on ", who.second, ")");
    absl::StrAppend(&text, "; stop that one first, or give this one a state folder of its own");
  } else if (absl::IsDataLoss(status)) {
    absl::StrAppend(&text, " is damaged: ", status.message(),
                    "; restore it from a copy, or move it away to begin without jobs");
  } else {
    absl::StrAppend(&text, ": ", status.message());
  }
  return absl::Status(status.code(), text);
}

std::string Journal::HolderPath() const { return absl::StrCat(path_, ".holder"); }

}  // namespace rm::journal
