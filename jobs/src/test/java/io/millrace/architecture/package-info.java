/// Who may know whom, checked on the compiled classes of all modules but the auditor's.
@NullMarked
package io.millrace.architecture;

import org.jspecify.annotations.NullMarked;
