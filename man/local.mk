# SPDX-License-Identifier: BSD-2-Clause
# manual pages

dist_man_MANS += \
	man/posternctl.1 \
	man/postern.conf.5 \
	man/postern-context.5 \
	man/postern-outbound.5 \
	man/postern-quickstart.7 \
	man/postern-sasl.7 \
	man/postern-authd.8 \
	man/postern-front.8 \
	man/postern-milter.8
