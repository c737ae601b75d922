// The few calls of SQLite's C interface that the journal needs. Handles are owned by the objects
// around them; no SQLite type leaves this file but as an opaque pointer.
#include "runtime/journal/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace rm::journal {
namespace {

// What the caller can do about it decides the code, not what SQLite calls it.
absl::StatusCode CodeOf(int result) {
  switch (result & 0xff) {  // the low byte is the primary code
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return absl::StatusCode::kDataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return absl::StatusCode::kFailedPrecondition;
    case SQLITE_FULL: return absl::StatusCode::kResourceExhausted;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH: return absl::StatusCode::kPermissionDenied;
    default: return absl::StatusCode::kUnavailable;
  }
}

// SQLite's own words, and those of the system call that failed beneath it.
absl::Status StatusOf(sqlite3* database, int result) {
  if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) {
    return absl::OkStatus();
  }
  std::string message = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(result);
  const int error = database != nullptr ? sqlite3_system_errno(database) : 0;
  // Only these come from a system call; for others the errno is that of some earlier one.
  const bool by_system =
      CodeOf(result) == absl::StatusCode::kPermissionDenied || (result & 0xff) == SQLITE_IOERR;
  if (by_system && error != 0) absl::StrAppend(&message, " (", strerror(error), ")");
  return absl::Status(CodeOf(result), message);
}

}  // namespace

Statement::Statement(sqlite3* database, sqlite3_stmt* statement)
    : database_(database), statement_(statement) {}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

absl::Status Statement::Bind(int parameter, int64_t value) {
  return StatusOf(database_, sqlite3_bind_int64(statement_, parameter, value));
}

absl::Status Statement::BindBlob(int parameter, absl::string_view bytes) {
  const char* const data = bytes.empty() ? "" : bytes.data();  // a null pointer would bind NULL
  return StatusOf(database_,
                  sqlite3_bind_blob64(statement_, parameter, data, bytes.size(), SQLITE_STATIC));
}

absl::StatusOr<bool> Statement::Step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return StatusOf(database_, result);
}

void Statement::Reset() { sqlite3_reset(statement_); }

int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_, column); }

absl::string_view Statement::Blob(int column) const {
  const void* const data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const std::string& vfs) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int result =
      sqlite3_open_v2(path.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (handle == nullptr) return StatusOf(nullptr, result);
  auto database = absl::WrapUnique(new Database(handle));
  if (result != SQLITE_OK) return StatusOf(handle, result);
  sqlite3_extended_result_codes(handle, 1);
  // Before the first access to the file, so that it also governs the WAL.
  RM_RETURN_IF_ERROR(database->Execute("PRAGMA locking_mode=EXCLUSIVE"));
  return database;
}

Database::~Database() { sqlite3_close(database_); }

absl::Status Database::Execute(absl::string_view sql) {
  RM_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  while (true) {
    RM_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return absl::OkStatus();
  }
}

absl::StatusOr<Statement> Database::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result =
      sqlite3_prepare_v2(database_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  RM_RETURN_IF_ERROR(StatusOf(database_, result));
  return Statement(database_, statement);
}

absl::StatusOr<int64_t> Database::QueryInteger(absl::string_view sql) {
  RM_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  RM_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Integer(0) : 0;
}

}  // namespace rm::journal
