;;; xmod for Emacs: (module "load" "gcc") changes the environment of this Emacs.
;;;     (load-file (concat (getenv "MODULESHOME") "/init/lisp"))

(setenv "MODULESHOME" @MODULESHOME@)
(setenv "LMOD_CMD" @LMOD_CMD@)
(setenv "LMOD_DIR" @LMOD_DIR@)

(defun module (&rest words)
  "Run one module command; return non-nil when it was met."
  (with-temp-buffer
    (let ((messages (make-temp-file "xmod")) result)
      (unwind-protect
          (progn
            (apply #'call-process (getenv "LMOD_CMD") nil (list t messages) nil "lisp" words)
            (goto-char (point-min))
            (condition-case nil
                (while t (setq result (eval (read (current-buffer)) t)))
              (end-of-file nil))
            (with-temp-buffer
              (insert-file-contents messages)
              (unless (zerop (buffer-size)) (message "%s" (buffer-string)))))
        (delete-file messages))
      result)))
