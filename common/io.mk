# SPDX-License-Identifier: BSD-2-Clause
# libpostern, I/O: dialling, TLS, sessions, data sources

libpostern_la_SOURCES += \
	common/dial.c common/dial.h common/dial_again.c \
	common/exchange.c common/exchange.h \
	common/session.c common/session.h \
	common/session_auth.c \
	common/session_begin.c \
	common/session_command.c \
	common/session_open.c \
	common/session_pump.c \
	common/session_starttls.c \
	common/session_state.h \
	common/session_xclient.c \
	common/datasource.c common/datasource.h \
	common/ds_cache.c common/ds_cache.h \
	common/ds_driver.h \
	common/ds_file.c \
	common/ds_lines.c common/ds_lines.h \
	common/ds_rows.c common/ds_rows.h \
	common/ds_sqlite.c \
	common/ds_sqlite_pool.c common/ds_sqlite_pool.h \
	common/siphash.c common/siphash.h \
	common/table.c common/table.h \
	common/thread_chain.c common/thread_chain.h \
	common/tls.c common/tls.h \
	common/tls_client.h \
	common/tls_start.c \
	common/tls_ticket.c common/tls_ticket.h \
	common/transport.c common/transport.h
