"""The selective forwarding worker: it carries voices between participants and never decodes one."""
