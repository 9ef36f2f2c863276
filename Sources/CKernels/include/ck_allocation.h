#ifndef CK_ALLOCATION_H
#define CK_ALLOCATION_H

/// Lets malloc keep the buffers that come and go with each weight, and hand back the larger ones.
/// By itself glibc starts with much lower limits, and every weight would get its pages anew from
/// the kernel, zeroed. Call it before other threads start; other C libraries go their own way.
void ck_set_allocation_limits(void);

#endif
