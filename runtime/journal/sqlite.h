// SQLite as the journal needs it: an open database, prepared statements, and errors as
// absl::Status.
//
// This is the only file pair that includes sqlite3.h (besides the tests' disk, faulty_disk.cc); the
// library throws nothing. Status codes:
//   DataLoss            the file is damaged, or is no SQLite database
//   FailedPrecondition  another process (or another Database of this one) holds the lock
//   ResourceExhausted   the disk is full
//   PermissionDenied    the file or its folder may not be opened or written
//   Unavailable         the disk failed (EIO), and all else
#ifndef RM_RUNTIME_JOURNAL_SQLITE_H_
#define RM_RUNTIME_JOURNAL_SQLITE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace rm::journal {

// A prepared statement. Not thread-safe; ends before its Database.
class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;

  // Parameters are numbered from 1. A blob is borrowed until the next Reset.
  [[nodiscard]] absl::Status Bind(int parameter, int64_t value);
  [[nodiscard]] absl::Status BindBlob(int parameter, absl::string_view bytes);

  // Runs to the next row: true when there is one, false at the end.
  [[nodiscard]] absl::StatusOr<bool> Step();
  // Ends this execution, so that the statement can run again. Its error is the one that Step
  // returned already.
  void Reset();

  // Columns of the present row, numbered from 0. The blob lives until the next Step or Reset.
  [[nodiscard]] int64_t Integer(int column) const;
  [[nodiscard]] absl::string_view Blob(int column) const;

 private:
  friend class Database;
  Statement(sqlite3* database, sqlite3_stmt* statement);

  sqlite3* const database_;
  sqlite3_stmt* statement_;
};

// An open database. Not thread-safe.
class Database {
 public:
  // Opens the file, creating it if missing, in exclusive locking mode: the first read takes the
  // lock, and no shared-memory file is made. `vfs` names the SQLite file layer; empty is the
  // machine's files.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                                      const std::string& vfs);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs one statement to its end and drops its rows.
  [[nodiscard]] absl::Status Execute(absl::string_view sql);
  [[nodiscard]] absl::StatusOr<Statement> Prepare(absl::string_view sql);
  // The first column of the first row; 0 when there is none or it is null.
  [[nodiscard]] absl::StatusOr<int64_t> QueryInteger(absl::string_view sql);

 private:
  explicit Database(sqlite3* database) : database_(database) {}

  sqlite3* const database_;
};

}  // namespace rm::journal

#endif  // RM_RUNTIME_JOURNAL_SQLITE_H_
